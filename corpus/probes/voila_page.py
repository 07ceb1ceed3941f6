"""Voilà's page is fetched with its scripts and styles."""

import json
import sys
from pathlib import Path

from _web import free_port, page, server

cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# demo"}
metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
Path("demo.ipynb").write_text(json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
port = free_port()
words = [sys.executable, "-m", "voila", "demo.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
with server(*words, url=f"http://127.0.0.1:{port}/voila/static/"):
    print(page(f"http://127.0.0.1:{port}/"), "scripts and styles of the page")
