"""NiceGUI's page is fetched with its scripts and styles."""

import sys
from pathlib import Path

import nicegui
from _web import free_port, page, server

assert nicegui
Path("app.py").write_text(
    "import sys\nfrom nicegui import ui\nui.label('demo')\n"
    "ui.run(host='127.0.0.1', port=int(sys.argv[1]), reload=False, show=False)\n"
)
port = free_port()
with server(sys.executable, "app.py", str(port), url=f"http://127.0.0.1:{port}/"):
    print(page(f"http://127.0.0.1:{port}/"), "scripts and styles of the page")
