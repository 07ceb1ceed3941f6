"""Sphinx builds pages with its own theme and another package's: it resolves its own path for its data."""

import subprocess
import sys
from pathlib import Path

subprocess.run(["sphinx-quickstart", "-q", "-p", "demo", "-a", "a", "-v", "1", "docs"], check=True, stdout=sys.stderr)
for theme in ("alabaster", "furo", "classic"):
    words = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-D", f"html_theme={theme}", "docs", f"out/{theme}"]
    subprocess.run(words, check=True)
    files = [path for path in Path("out", theme).rglob("*") if path.is_file() and ".doctrees" not in path.parts]
    names = {path.relative_to(Path("out", theme)).as_posix() for path in files}
    print(theme, len(files), {"index.html", "search.html", "_static/doctools.js"} <= names)
    print(sum(path.is_symlink() for path in files), "links")
