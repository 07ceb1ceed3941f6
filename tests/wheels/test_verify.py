"""Checking every byte of a wheel."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import VerificationError, WheelError
from nixgen.model import Traffic, WheelIndex, WheelSource
from nixgen.wheels.index import index_all
from tests.support.wheels import make_wheel, nix_sha256, patch_directory, record_row, write_wheel


def verified(directory: Path, wheel: tuple[str, bytes], **source: Any) -> tuple[WheelIndex, Traffic]:
    """Index a wheel on disk with every check."""
    path = write_wheel(directory, wheel)
    indexes, traffic = index_all(
        [WheelSource(filename=wheel[0], path=path.name, **source)], base=directory, verify=True
    )
    return indexes[0], traffic


def test_an_honest_wheel_passes(tmp_path: Path) -> None:
    """A wheel whose files are what RECORD promises is indexed as without the check."""
    wheel = make_wheel(files={"demo/a.py": "a", "demo/empty": ""})
    index, traffic = verified(tmp_path, wheel, sha256=hashlib.sha256(wheel[1]).hexdigest())
    assert index.files["demo/a.py"].sha256 == nix_sha256("a")
    assert traffic == Traffic()


def test_every_wrong_file_is_named(tmp_path: Path) -> None:
    """Files with other content than RECORD's are all named, with both hashes."""
    wrong = {"demo/a.py": b"other", "demo/b.py": b"other too"}
    wheel = make_wheel(
        files={"demo/a.py": "a", "demo/b.py": "b", "demo/c.py": "c"},
        record=lambda rows: [record_row(row[0], wrong[row[0]]) if row[0] in wrong else row for row in rows],
    )
    with pytest.raises(VerificationError) as caught:
        verified(tmp_path, wheel)
    message = str(caught.value)
    assert wheel[0] in message
    for path, content, promised in (("demo/a.py", b"a", wrong["demo/a.py"]), ("demo/b.py", b"b", b"other too")):
        assert f"'{path}': expected {record_row(path, promised)[1]}, got {record_row(path, content)[1]}" in message
    assert "demo/c.py" not in message


def test_metadata_is_checked_without_being_asked(tmp_path: Path) -> None:
    """METADATA is read anyway, so that content which is not RECORD's is found without ``verify`` too."""
    path = "demo-1.0.dist-info/METADATA"
    wheel = make_wheel(record=lambda rows: [record_row(path, b"other") if row[0] == path else row for row in rows])
    source = WheelSource(filename=wheel[0], path=write_wheel(tmp_path, wheel).name)
    with pytest.raises(VerificationError, match="METADATA"):
        index_all([source], base=tmp_path)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("promise", [{"sha256": "0" * 64}, {"size": 7}], ids=["hash", "size"])
def test_another_wheel_is_refused(promise: dict[str, Any], verify: bool, tmp_path: Path) -> None:
    """A wheel on disk with another hash or size than its source promises is refused, naming both."""
    wheel = make_wheel()
    source = WheelSource(filename=wheel[0], path=write_wheel(tmp_path, wheel).name, **promise)
    with pytest.raises(VerificationError, match=f"expected {next(iter(promise.values()))}") as caught:
        index_all([source], base=tmp_path, verify=verify)
    assert caught.value.where == str(tmp_path / wheel[0])


@pytest.mark.parametrize("fields", [{"crc": 1}, {"size": 3}, {"size": 13}], ids=["crc", "shorter", "longer"])
def test_damaged_members_are_named(fields: dict[str, int], tmp_path: Path) -> None:
    """A member whose content contradicts the central directory is an error that names it, not a traceback."""
    name, wheel = make_wheel()
    with pytest.raises(WheelError, match=r"demo/__init__\.py"):
        verified(tmp_path, (name, patch_directory(wheel, "demo/__init__.py", **fields)))
