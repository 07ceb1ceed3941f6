"""virtualenv makes an environment with the pip that it carries."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--no-download", "made"], check=True)
print(subprocess.run(["made/bin/pip", "--version"], capture_output=True, text=True, check=True).stdout.split()[0])
