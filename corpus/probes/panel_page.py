"""Panel's server hands out a page with its scripts, and the files of its distribution."""

import sys
from pathlib import Path

import panel
from _web import free_port, page, same, server

Path("app.py").write_text("import panel as pn\npn.extension()\npn.Row('hello', pn.widgets.IntSlider()).servable()\n")
port = free_port()
base = f"http://127.0.0.1:{port}"
with server(sys.executable, "-m", "panel", "serve", "app.py", "--port", str(port), url=f"{base}/app"):
    print(page(f"{base}/app"), "scripts and styles of the page")
    directory = Path(panel.__file__).parent / "dist"
    print(same(f"{base}/static/extensions/panel/", directory, most=2000), "files")
