"""The compiler of protocol buffers finds the definitions that lie beside it, and its output runs."""

import subprocess
import sys
from pathlib import Path

Path("demo.proto").write_text(
    'syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\n'
    "message Demo { google.protobuf.Timestamp at = 1; }\nservice Say { rpc Hello (Demo) returns (Demo); }\n"
)
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--grpc_python_out=.", "demo.proto"],
    check=True,
)
sys.path.insert(0, ".")
import demo_pb2  # noqa: E402
import demo_pb2_grpc  # noqa: E402

print(demo_pb2.Demo.DESCRIPTOR.full_name, demo_pb2_grpc.SayStub.__name__)
