"""The units of docs/warm.md are such that systemd takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nixgen.cli import parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "warm.md"


def units() -> dict[str, str]:
    """Return the units that the page shows, by name."""
    found = re.findall(r"`/etc/systemd/system/([\w.-]+)`:\n\n```ini\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return dict(found)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_them(tmp_path: Path) -> None:
    """systemd-analyze finds nothing wrong, with programs that are there in the place of those that are not."""
    assert set(units()) == {"nixgen-warm.service", "nixgen-warm.timer"}
    for name, text in units().items():
        (tmp_path / name).write_text(re.sub(r"(ExecStart\w*)=/\S+", rf"\1={sys.executable}", text))
    words = ["systemd-analyze", "verify", "--recursive-errors=no", *(str(tmp_path / name) for name in units())]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_nixgen_takes_their_command() -> None:
    """What the service runs is a command line that nixgen understands."""
    (line,) = re.findall(r"ExecStart=\S+ (.+)", units()["nixgen-warm.service"])
    options = parse(line.split())
    assert options.verb == "warm" and options.budget == 200 * 10**9 and options.lists == ["/etc/nixgen/popular.json"]
