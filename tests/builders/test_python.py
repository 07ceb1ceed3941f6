"""A Python that is copied with its bytecode."""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path

from nixgen.library import builder_module


def test_everything_is_copied_and_modules_are_compiled(tmp_path: Path) -> None:
    """Files keep whether they are programs, links stay links, and each module but those of tests gets its bytecode."""
    source = tmp_path / "source"
    library = source / "lib/python3.99"
    (library / "test").mkdir(parents=True)
    (source / "bin").mkdir()
    (source / "bin/python3.99").write_text("program")
    (source / "bin/python3.99").chmod(0o555)
    (source / "bin/python3").symlink_to("python3.99")
    for name in ("json.py", "test/test_json.py", "data.txt"):
        (library / name).write_text("x = 1\n")
    (library / "broken.py").write_text("x = \n")
    for directory in (library / "test", library, source):
        directory.chmod(0o555)  # as in the store
    out = tmp_path / "out"
    builder_module("python").build({"python": str(source)}, str(out))
    assert (out / "bin/python3").readlink() == Path("python3.99")
    assert (out / "bin/python3").read_text() == "program"
    assert stat.S_IMODE((out / "bin/python3.99").stat().st_mode) == 0o755
    assert (out / "lib/python3.99/data.txt").read_text() == "x = 1\n"
    compiled = {path.relative_to(out / "lib/python3.99") for path in out.rglob("*.pyc")}
    assert compiled == {Path(importlib.util.cache_from_source("json.py"))}
    for directory in (library / "test", library, source):
        directory.chmod(0o755)
