"""The lock as text."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import InputError
from nixgen.lock import Lock, TargetLock
from nixgen.model import Overrides
from nixgen.targets import Target
from tests.support.indexes import DARWIN, LINUX, locked, make_index, make_lock

RICH = make_index(
    "rich-wheel",
    {
        "rich/__init__.py": "",
        "rich/a.py": "1",
        "rich/größe $(x) ${y}.txt": "2",
        "rich/bin/tool": "#!/bin/sh\n",
        "rich/bin/large": "4",
        "rich_wheel-1.0.data/scripts/s": "3",
    },
    console={"tool": "rich:main"},
    gui={"window": "rich:window"},
    executable=["rich/bin/tool", "rich/bin/large"],
    alone=["rich/bin/large"],
)
LOCAL = replace(
    make_index("local", place={"path": "wheels/local-1.0-py3-none-any.whl"}),
    overrides=Overrides(copy=("local/*", "*.txt"), link=("*.so",), solid=True),
)
LOCK = Lock(
    targets=(
        TargetLock(
            target=LINUX,
            packages=(locked(LOCAL, ("extra:a", "!group:b"), ("group:c",)), locked(RICH)),
            prefer={"bin/x": "local", "a": "rich-wheel"},
        ),
        TargetLock(target=DARWIN, packages=(locked(RICH),)),
        TargetLock(target=Target.parse("3.13t", "aarch64-linux", glibc="2.28"), packages=()),
    ),
    wheels={index.source.filename: index for index in (RICH, LOCAL)},
    extras=("a",),
    groups=("b", "c"),
    default_groups=("b",),
)


def _read(directory: Path, text: str) -> Lock:
    path = directory / "nixgen.lock"
    path.write_text(text, encoding="utf-8")
    return Lock.from_file(path)


def test_a_lock_survives_its_text(tmp_path: Path) -> None:
    """A lock that is read from its text writes the same bytes, and holds all that a build needs."""
    text = LOCK.to_text()
    read = _read(tmp_path, text)
    assert read.to_text() == text
    assert _read(tmp_path, read.to_text()) == read
    assert [locked.packages for locked in read.targets] == [locked.packages for locked in LOCK.targets]
    assert (read.extras, read.groups, read.default_groups) == (LOCK.extras, LOCK.groups, LOCK.default_groups)
    for name, index in LOCK.wheels.items():
        assert read.wheels[name].source == index.source
        assert read.wheels[name].console_scripts == index.console_scripts
        assert read.wheels[name].gui_scripts == index.gui_scripts
        assert read.wheels[name].data_dir == index.data_dir
        assert read.wheels[name].overrides == index.overrides
        expected = {path: replace(file, size=None) for path, file in index.files.items() if file.size}
        assert {path: file for path, file in read.wheels[name].files.items() if file.size != 0} == expected
    assert read.wheels[RICH.source.filename].files["rich/__init__.py"].size == 0


def test_the_text_is_json_with_a_format() -> None:
    """The text is JSON, begins with its format, and ends with a newline."""
    text = LOCK.to_text()
    data = json.loads(text)
    assert next(iter(data.items())) == ("nixgen", 1)
    assert text.endswith("}\n")
    placements = [wheel.get("placement") for wheel in data["wheels"].values()]
    assert placements == [{"copy": ["local/*", "*.txt"], "link": ["*.so"], "solid": True}, None]
    assert data["targets"][0]["prefer"] == {"a": "rich-wheel", "bin/x": "local"}
    assert data["targets"][0]["packages"][0]["when"] == [["extra:a", "!group:b"], ["group:c"]]
    assert "when" not in data["targets"][0]["packages"][1]
    assert [target["libc"] for target in data["targets"]] == ["glibc 2.35", "macos 14.0", "glibc 2.28"]
    tree = data["wheels"][RICH.source.filename]["files"]
    assert tree["rich"]["__init__.py"] == ""
    assert tree["rich"]["bin"]["tool"][1:] == ["x"]
    assert tree["rich"]["bin"]["large"][1:] == ["x", "alone"]


def test_the_order_of_building_does_not_show() -> None:
    """Wheels, files and preferences in another order give the same bytes."""
    prefer = {"a": "x", "b": "y"}
    forth = make_lock(RICH, LOCAL, prefer=prefer)
    turned = replace(RICH, files=dict(reversed(RICH.files.items())))
    back = make_lock(LOCAL, turned, prefer=dict(reversed(prefer.items())))
    assert forth.to_text() == back.to_text()


@pytest.mark.parametrize("new", ["demo/b.py", "demo/deep/er/b.py", "b.py", "zz.py"])
def test_a_new_file_is_a_small_difference(new: str) -> None:
    """One file more in a large wheel changes the lines of its directory only, and takes none away."""
    files = {f"demo/module{number}.py": str(number) for number in range(50)}
    before, after = (make_lock(make_index("demo", held)).to_text() for held in (files, {**files, new: "new"}))
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert 1 <= len(changed) <= 3
    assert sum(line[0] == "+" for line in changed) - sum(line[0] == "-" for line in changed) == 1
    assert any(new.rpartition("/")[2] in line for line in changed)


def test_changed_content_is_one_line() -> None:
    """Another hash of one file changes one line."""
    files = {f"demo/module{number}.py": str(number) for number in range(50)}
    texts = [make_lock(make_index("demo", {**files, "demo/module7.py": content})).to_text() for content in "ab"]
    pairs = [(a, b) for a, b in zip(*(text.splitlines() for text in texts), strict=True) if a != b]
    assert len(pairs) == 1
    assert "module7.py" in pairs[0][0]


def test_lines_are_short_enough_to_review() -> None:
    """Every line is a value or stays within the width of a screen, and every package and file stands on its own."""
    files = {f"demo/a_directory/with_a_long_name/module{number}.py": str(number) for number in range(30)}
    lines = make_lock(make_index("demo", files), make_index("other")).to_text().splitlines()
    assert max(map(len, lines)) <= 120
    assert sum('"module' in line for line in lines) == 30
    assert sum(line.lstrip().startswith('{"name"') for line in lines) == 2
    assert Lock(targets=(), wheels={}).to_text().splitlines()[1] == ' "nixgen": 1,'


def _without(*keys: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[int(key)] if isinstance(data, list) else data[key]
        del data[keys[-1]]

    return change


def _with(value: Any, *keys: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[int(key)] if isinstance(data, list) else data[key]
        data[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _without("wheels"),
        _without("targets"),
        _without("extras"),
        _without("defaultGroups"),
        _without("targets", "0", "python"),
        _without("targets", "0", "packages"),
        _without("wheels", RICH.source.filename),
        _without("wheels", RICH.source.filename, "sha256"),
        _without("wheels", RICH.source.filename, "files"),
        _with([], "wheels"),
        _with("x", "targets"),
        _with("glibc", "targets", "0", "libc"),
        _with("glibc x.y", "targets", "0", "libc"),
        _with(7, "wheels", RICH.source.filename, "files"),
        _with({"a": []}, "wheels", RICH.source.filename, "files"),
        _with({"a": ["hash"]}, "wheels", RICH.source.filename, "files"),
        _with({"a": "too short"}, "wheels", RICH.source.filename, "files"),
        _with({"a": 7}, "wheels", RICH.source.filename, "files"),
        _with({"a": None}, "wheels", RICH.source.filename, "files"),
        _with(7, "wheels", RICH.source.filename, "sha256"),
        _with([], "wheels", RICH.source.filename, "scripts"),
        _with(None, "targets", "0", "packages"),
        _with([{"name": 1}], "targets", "0", "packages"),
    ],
)
def test_a_damaged_lock_is_an_error(tmp_path: Path, damage: Callable[[Any], None]) -> None:
    """A lock in which something is missing or of another kind is refused with the file and what to run."""
    data = json.loads(LOCK.to_text())
    damage(data)
    with pytest.raises(InputError) as caught:
        _read(tmp_path, json.dumps(data))
    assert "the lock is damaged" in caught.value.what
    assert caught.value.where == str(tmp_path / "nixgen.lock")
    assert "nixgen lock" in str(caught.value.todo)


@pytest.mark.parametrize("text", ["", "{", "<<<<<<< ours\n{}", "\xff"])
def test_what_is_no_json_is_an_error(tmp_path: Path, text: str) -> None:
    """A file that is no JSON, such as one with a merge conflict, is refused."""
    path = tmp_path / "nixgen.lock"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="cannot read the lock") as caught:
        Lock.from_file(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"nixgen": 2}', '{"nixgen": "1"}', '{"nixgen": null}'])
def test_another_format_is_an_error(tmp_path: Path, text: str) -> None:
    """A format that this nixgen does not know is refused, with both formats."""
    with pytest.raises(InputError, match="this nixgen reads format 1") as caught:
        _read(tmp_path, text)
    assert "nixgen lock" in str(caught.value.todo)


def test_no_lock_is_an_error(tmp_path: Path) -> None:
    """Without a lock, the message says how to get one."""
    with pytest.raises(InputError, match="there is no lock") as caught:
        Lock.from_file(tmp_path / "nixgen.lock")
    assert caught.value.todo == "run `nixgen lock`"
