"""Streamlit's page is fetched with every script and style of its front end."""

import sys
from pathlib import Path

import streamlit
from _web import free_port, page, same, server

Path("app.py").write_text("import streamlit as st\nst.title('demo')\nst.line_chart([1, 3, 2])\n")
port = free_port()
base = f"http://127.0.0.1:{port}"
words = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.port", str(port)]
words += ["--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
with server(*words, url=f"{base}/_stcore/health"):
    print(page(f"{base}/"), "scripts and styles of the page")
    directory = Path(streamlit.__file__).parent / "static"
    print(same(f"{base}/", directory, most=2000), "files of the front end")
