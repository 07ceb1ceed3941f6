"""Results as a picture: bars of seconds, ours and the peers', for each set."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape

from benchmarks.rows import Row

_PANELS = {"cold": "nothing there yet", "warm": "every wheel or file there, a new environment"}

#: What is measured to be compared with; everything else is ours.
PEERS = ("peers", "per-wheel")

_WIDTH, _LABELS, _BAR, _GAP, _END = 920, 440, 14, 6, 130

_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 14px; }
.ours { fill: #1a7f64; } .peer { fill: #9aa4af; } .spread { stroke: #24292f; stroke-width: 1.2; }
@media (prefers-color-scheme: dark) {
  text { fill: #d0d7de; } .ours { fill: #3fb68b; } .peer { fill: #6e7781; } .spread { stroke: #d0d7de; }
}
"""


def chart(every: Sequence[Row]) -> str:
    """Return an SVG file: a panel for each set and part, its bars sorted, whiskers from the fastest to the slowest run.

    Args:
        every: rows; those whose reading names a panel are drawn.
    """
    body: list[str] = []
    height = 10
    for name in dict.fromkeys(row.set for row in every):
        for panel, title in _PANELS.items():
            some = _distinct([row for row in every if row.set == name and row.first.panel == panel])
            if some:
                height = _panel(body, height, f"{name}: {title} (seconds)", some)
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<style>\n{_STYLE}</style>\n'
    return head + "\n".join(body) + "\n</svg>\n"


def _distinct(some: Sequence[Row]) -> list[Row]:
    """Return one row for each thing and Nix, as a thing has several where it has several peers; the fastest first."""
    found = {(row.first.subject, row.nix): row for row in reversed(some)}
    return sorted(found.values(), key=lambda row: statistics.median(row.values))


def _panel(body: list[str], top: int, title: str, some: Sequence[Row]) -> int:
    """Draw one panel below ``top`` and return where it ends."""
    scale = (_WIDTH - _LABELS - _END) / (max(max(row.values) for row in some) or 1.0)
    several = len({row.nix for row in some if row.nix}) > 1
    body.append(f'<text class="title" x="10" y="{top + 16}">{escape(title)}</text>')
    y = top + 26
    for row in some:
        low, middle, high = min(row.values), statistics.median(row.values), max(row.values)
        label = row.first.subject + (f" (Nix {row.nix})" if several and row.nix else "")
        kind = "peer" if row.measure in PEERS else "ours"
        center = y + _BAR / 2
        body.append(f'<text x="{_LABELS - 8}" y="{y + 11}" text-anchor="end">{escape(label)}</text>')
        body.append(
            f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{max(1.0, middle * scale):.1f}" height="{_BAR}"/>'
        )
        if high > low:
            ends = f'x1="{_LABELS + low * scale:.1f}" x2="{_LABELS + high * scale:.1f}"'
            body.append(f'<line class="spread" {ends} y1="{center}" y2="{center}"/>')
        body.append(f'<text x="{_LABELS + high * scale + 6:.1f}" y="{y + 11}">{middle:.2f}</text>')
        y += _BAR + _GAP
    return y + 14
