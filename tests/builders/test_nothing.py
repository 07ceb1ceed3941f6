"""The build that only needs its inputs."""

from __future__ import annotations

from pathlib import Path

import nothing


def test_it_makes_an_empty_file(tmp_path: Path) -> None:
    """The output is an empty file, whatever the attributes."""
    nothing.build({"unpacked": ["a", "b"]}, str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == b""
