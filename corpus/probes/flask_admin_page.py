"""Flask-Admin hands out every file of its own, by Flask."""

import sys
from pathlib import Path

import flask_admin
from _web import free_port, page, same, server

Path("app.py").write_text(
    "import sys\nfrom flask import Flask\nfrom flask_admin import Admin\napp = Flask('demo')\nAdmin(app)\n"
    "app.run('127.0.0.1', int(sys.argv[1]))\n"
)
port = free_port()
base = f"http://127.0.0.1:{port}"
with server(sys.executable, "app.py", str(port), url=f"{base}/admin/"):
    print(page(f"{base}/admin/"), "scripts and styles of the page")
    print(same(f"{base}/admin/static/", Path(flask_admin.__file__).parent / "static", most=2000), "files")
