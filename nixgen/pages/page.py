"""A page with a treemap: style, scripts and data in one file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from nixgen.emit.files import write_text
from nixgen.mistakes import about

_HERE = Path(__file__).parent

#: What stands in the page for its parts.
_MARK = re.compile(re.escape("/*DATA*/null") + "|" + re.escape("/*TREEMAP*/") + "|" + re.escape("/*VIEW*/"))


def write_page(path: Path, view: Literal["size", "fleet"], data: Mapping[str, object]) -> None:
    """Write a page.

    Args:
        path: the file, replaced at once.
        view: what it shows: ``nixgen/pages/VIEW.js`` says how.
        data: what that reads as ``DATA``.
    """
    parts = {
        # What a file is called must not end the script.
        "/*DATA*/null": json.dumps(data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c"),
        "/*TREEMAP*/": (_HERE / "treemap.js").read_text(encoding="utf-8").rstrip(),
        "/*VIEW*/": (_HERE / f"{view}.js").read_text(encoding="utf-8").rstrip(),
    }
    page = _MARK.sub(lambda mark: parts[mark[0]], (_HERE / "page.html").read_text(encoding="utf-8"))
    with about(path):
        write_text(path, page)
