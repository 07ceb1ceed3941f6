"""A notebook becomes a page and a script, by templates that lie below the environment's share."""

import json
import subprocess
import sys
from pathlib import Path

cell = {
    "cell_type": "code",
    "id": "a",
    "execution_count": None,
    "metadata": {},
    "outputs": [],
    "source": "print(6 * 7)",
}
notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
Path("demo.ipynb").write_text(json.dumps(notebook))
for kind in ("html", "script", "markdown", "latex", "slides"):
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", kind, "demo.ipynb"], check=True)
print(sorted(path.name for path in Path().iterdir()), "print" in Path("demo.html").read_text())
