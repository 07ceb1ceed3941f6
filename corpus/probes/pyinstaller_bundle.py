"""PyInstaller bundles a program with the boot loader that lies beside it."""

import subprocess
import sys
from pathlib import Path

Path("demo.py").write_text("import json\nprint('it runs', json.dumps(1))\n")
subprocess.run([sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "demo.py"], check=True)
print(subprocess.run(["dist/demo/demo"], capture_output=True, text=True, check=True).stdout)
