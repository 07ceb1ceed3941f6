"""A program runs under debugpy, which injects what lies beside it."""

import subprocess
import sys
from pathlib import Path

Path("demo.py").write_text("print('it runs')\n")
subprocess.run([sys.executable, "-m", "debugpy", "--listen", "127.0.0.1:0", "demo.py"], check=True)
