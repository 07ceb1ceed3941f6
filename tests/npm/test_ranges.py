"""Ranges of versions, beside npm's own reader of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixgen.npm.ranges import Range
from tests.support.node import node, npm_library

VERSIONS = [
    f"{core}{before}"
    for core in [
        "0.0.0",
        "0.0.1",
        "0.0.2",
        "0.1.0",
        "0.2.3",
        "1.0.0",
        "1.2.0",
        "1.2.3",
        "1.2.4",
        "1.3.0",
        "2.0.0",
        "3.1.4",
    ]
    for before in ("-0", "-alpha", "-rc.1", "-rc.10", "", "+build")
]
_WHOLE = ["0.0.0", "0.0.1", "0.1.2", "1.2.3", "v1.2.3", "1.2.3-rc.2", "1.2.3+x", "0.0.1-rc"]
_PART = ["0", "1", "0.0", "0.1", "1.2", "1.x", "1.2.*", "*", "X", "1.x.x"]
RANGES = [
    "",
    *(f"{sign}{bound}" for sign in ("", "=", "<", "<=", ">", ">=", "~", "~>", "^", ">= ") for bound in _WHOLE + _PART),
    *(
        f"{first} - {last}"
        for first in ["1.2.3", "1.2", "0", "*", "1.2.3-rc"]
        for last in ["2.0.0", "2.0", "2", "x", "2.0.0-rc"]
    ),
    ">=1.2.3 <2.0.0",
    "<1 || >=2.0.0-rc.1",
    "^1.2.3||~0.1.0 || 3.x",
    "  >= 1.2.3   <=1.3  ",
]


def test_they_hold_what_npm_says(tmp_path: Path) -> None:
    """Each range holds the versions that npm's own semver finds in it where pre-releases count."""
    code = f"""
    const semver = require({json.dumps(str(npm_library("semver")))})
    const found = {json.dumps(RANGES)}.map(range => {json.dumps(VERSIONS)}.filter(
      version => semver.satisfies(version, range, {{includePrerelease: true}})))
    console.log(JSON.stringify(found))
    """
    found = json.loads(node("-e", code, directory=tmp_path, home=tmp_path / "home"))
    ours = {text: [version for version in VERSIONS if Range.parse(text).holds(version)] for text in RANGES}
    assert ours == dict(zip(RANGES, found, strict=True))


@pytest.mark.parametrize("text", ["latest", "1.2.3 latest", "^", "1..2", "<a", "file:x", "1.2.3.4", "x.2.3", ">1.X.3"])
def test_what_is_none(text: str) -> None:
    """Words, as those of tags, are no ranges."""
    with pytest.raises(ValueError, match="is no range of versions"):
        Range.parse(text)
