"""Dash hands out its page and all the scripts of its components."""

import re

import dash
from dash import dash_table, dcc, html

app = dash.Dash("demo", serve_locally=True)
app.layout = html.Div([dcc.Graph(id="graph"), dcc.Markdown("*x*"), dash_table.DataTable(id="table")])
client = app.server.test_client()
text = client.get("/").get_data(as_text=True)
scripts = re.findall(r'src="(/[^"]+)"', text)
for path in scripts:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.data, path
print(len(scripts), "scripts")
assert client.get("/_dash-layout").status_code == 200
served = 0
for name, paths in sorted(app.registered_paths.items()):
    for path in sorted(paths):
        if path.endswith((".js", ".css")):
            answer = client.get(f"/_dash-component-suites/{name}/{path}")
            assert answer.status_code == 200, (name, path)
            served += 1
print(served, "registered files")
