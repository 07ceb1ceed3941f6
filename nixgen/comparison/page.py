"""A page with a treemap of environments: one file, which asks for nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nixgen.emit.files import write_text
from nixgen.mistakes import about

_TEMPLATE = Path(__file__).with_name("treemap.html")
_MARK = "/*DATA*/null"


def write_page(path: Path, data: Mapping[str, object]) -> None:
    """Write the page.

    Args:
        path: the file, replaced at once.
        data: what ``nixgen.comparison.sizes.page_data`` gives.
    """
    # What a file is called must not end the script.
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
    with about(path):
        write_text(path, _TEMPLATE.read_text(encoding="utf-8").replace(_MARK, text, 1))
