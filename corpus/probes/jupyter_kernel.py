"""A kernel is found by its specification, starts, and runs a cell."""

import sys

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

print(sorted(KernelSpecManager().find_kernel_specs()))
manager, client = start_new_kernel(startup_timeout=120)
try:
    shown = []

    def hook(message):
        if message["msg_type"] == "stream":
            shown.append(message["content"]["text"])

    code = "import sys; print(6 * 7, sys.prefix)"
    reply = client.execute_interactive(code, timeout=60, output_hook=hook)
    print(reply["content"]["status"], "".join(shown).strip() == f"42 {sys.prefix}")
    print("print" in client.complete("prin", reply=True, timeout=60)["content"]["matches"])
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
