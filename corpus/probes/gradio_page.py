"""Gradio's page is fetched with its scripts, and what its front end would load later."""

import os
import sys
from pathlib import Path

import gradio
from _web import free_port, page, same, server

Path("app.py").write_text(
    "import gradio, sys\n"
    "app = gradio.Interface(str.upper, 'text', 'text', analytics_enabled=False)\n"
    "app.launch(server_name='127.0.0.1', server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)\n"
)
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
port = free_port()
base = f"http://127.0.0.1:{port}"
with server(sys.executable, "app.py", str(port), url=f"{base}/config"):
    print(page(f"{base}/"), "scripts and styles of the page")
    for name in ("assets", "static"):
        directory = Path(gradio.__file__).parent / "templates" / "frontend" / name
        print(same(f"{base}/{name}/", directory, most=2000), "files of the front end")
