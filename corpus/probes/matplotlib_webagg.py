"""Matplotlib's own server hands out its pages' files and the icons of its toolbar; it is Tornado's."""

import sys
from pathlib import Path

import matplotlib
from _web import free_port, same, server

Path("app.py").write_text(
    "import sys, matplotlib\nmatplotlib.use('WebAgg')\nimport matplotlib.pyplot as plot\n"
    "matplotlib.rcParams.update({'webagg.port': int(sys.argv[1]), 'webagg.open_in_browser': False})\n"
    "plot.plot([1, 3, 2])\nplot.show()\n"
)
port = free_port()
base = f"http://127.0.0.1:{port}"
with server(sys.executable, "app.py", str(port), url=f"{base}/"):
    print(same(f"{base}/_images/", Path(matplotlib.get_data_path()) / "images"), "icons")
    print(same(f"{base}/_static/", Path(matplotlib.__file__).parent / "backends" / "web_backend"), "files")
