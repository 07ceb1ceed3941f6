"""Plotly writes a page that holds its own script."""

import plotly.graph_objects as go

text = go.Figure(go.Bar(y=[1, 3, 2])).to_html(include_plotlyjs=True, div_id="demo")
print(len(text) > 1_000_000, "plotly.js v" in text)
