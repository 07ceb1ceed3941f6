"""coverage measures a run and writes its page, with the files that lie beside it."""

import subprocess
import sys
from pathlib import Path

Path("demo.py").write_text("import json\nprint(json.dumps({'a': 1}))\n")
for words in (["run", "demo.py"], ["report"], ["html", "-q"], ["xml", "-q"], ["json", "-q"]):
    subprocess.run([sys.executable, "-m", "coverage", *words], check=True)
print(sorted(path.suffix for path in Path("htmlcov").iterdir()))
