"""What a lock costs a repository's history."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.history import format_1, measure
from tests.support.indexes import make_index, make_lock


def test_histories_are_measured(tmp_path: Path) -> None:
    """Each kind of lock gets a repository; lines and bytes are those of its texts."""
    texts = ["".join(f"line {number} of {release}\n" for number in range(1000)) for release in "abc"]
    small = ["one\n", "two\n", "two\nthree\n"]
    large, little = measure({"large": texts, "small": small}, tmp_path)
    assert (large.last, little.last) == (len(texts[-1]), len(small[-1]))
    assert (large.lines, little.lines) == ((2000, 2000), (2, 1))
    assert large.packed > little.packed > 0


def test_format_1_lists_every_file() -> None:
    """The lock that is compared with is what format 1 was: every file with its hash, short values on one line."""
    index = make_index("demo", {"demo/a.py": "1", "demo/run": "2", "demo/empty": ""}, executable=["demo/run"])
    text = format_1(make_lock(index), {index.source.filename: index})
    data = json.loads(text)
    files = data["wheels"][index.source.filename]["files"]["demo"]
    assert data["nixgen"] == 1 and data["targets"][0]["packages"][0]["name"] == "demo"
    assert files["a.py"] == index.files["demo/a.py"].sha256
    assert files["run"][1:] == ["x"] and files["empty"] == ""
    assert f'     "a.py": "{files["a.py"]}",' in text.splitlines()
