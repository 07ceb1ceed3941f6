"""MkDocs builds a site with the theme of another package."""

import subprocess
import sys
from pathlib import Path

Path("docs").mkdir()
Path("docs/index.md").write_text("# Demo\n\ntext :smile:\n")
Path("mkdocs.yml").write_text("site_name: demo\ntheme: {name: material, icon: {repo: fontawesome/brands/git-alt}}\n")
subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q", "--strict"], check=True)
files = [path for path in Path("site").rglob("*") if path.is_file()]
print(len(files), "files,", sum(path.is_symlink() for path in files), "of them links")
