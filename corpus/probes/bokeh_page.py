"""Bokeh writes a page with its scripts inside, and its server hands them out."""

import sys
from pathlib import Path

import bokeh
from _web import free_port, page, same, server
from bokeh.embed import file_html
from bokeh.plotting import figure
from bokeh.resources import INLINE

plot = figure()
plot.line([1, 2, 3], [1, 3, 2])
print(len(file_html(plot, INLINE, "demo")) > 500_000)
Path("app.py").write_text(
    "from bokeh.plotting import curdoc, figure\nplot = figure()\nplot.line([1, 2], [1, 2])\ncurdoc().add_root(plot)\n"
)
port = free_port()
base = f"http://127.0.0.1:{port}"
with server(sys.executable, "-m", "bokeh", "serve", "app.py", "--port", str(port), url=f"{base}/app"):
    print(page(f"{base}/app"), "scripts and styles of the page")
    print(same(f"{base}/static/js/", Path(bokeh.__file__).parent / "server" / "static" / "js", most=2000), "scripts")
