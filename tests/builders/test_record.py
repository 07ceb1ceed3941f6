"""RECORD, read and written."""

from __future__ import annotations

from pathlib import Path

import record

SITE = "lib/python3.11/site-packages"
RECORD = f"{SITE}/demo-1.0.dist-info/RECORD"


def test_a_digest_is_as_pep_376_has_it() -> None:
    """The hash is URL-safe base64 without padding, the size a text."""
    assert record.digest(b"") == ("sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "0")


def test_rows_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    """A row of less than three fields is nobody's, and a fourth field is not read."""
    path = tmp_path / "RECORD"
    path.write_text('"a, b.py",sha256=x,1\nempty,,\nshort,\n\nlong,sha256=y,2,more\n', encoding="utf-8")
    assert record.read(path) == {"a, b.py": ("sha256=x", "1"), "empty": record.UNSAID, "long": ("sha256=y", "2")}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Rows are sorted by where the files lie, relative to site-packages, and RECORD's own says nothing."""
    (tmp_path / RECORD).parent.mkdir(parents=True)
    (tmp_path / RECORD).symlink_to("the-wheels-own")
    rows = {f"{SITE}/größe, x.py": ("sha256=x", "1"), "bin/tool": ("sha256=y", "2")}
    record.write(str(tmp_path), RECORD, SITE, rows)
    assert list(record.read(tmp_path / RECORD).items()) == [
        ("../../../bin/tool", ("sha256=y", "2")),
        ("demo-1.0.dist-info/RECORD", record.UNSAID),
        ("größe, x.py", ("sha256=x", "1")),
    ]
