"""The files for browsers that a package has are read through importlib.resources, and through a server. Its name is
the argument."""

import importlib.resources
import sys
from pathlib import Path

from _web import free_port, same, server

directory = Path(str(importlib.resources.files(sys.argv[1])))
port = free_port()
words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port), "--directory", str(directory)]
with server(*words, url=f"http://127.0.0.1:{port}/"):
    print(same(f"http://127.0.0.1:{port}/", directory, (".js", ".css", ".svg", ".html")), "files")
