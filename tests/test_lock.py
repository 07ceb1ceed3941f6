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
from nixgen.model import Overrides, PythonArchive
from nixgen.targets import Target
from tests.support.indexes import DARWIN, LINUX, locked, locked_wheel, make_index, make_lock

RICH = make_index("rich-wheel", {"rich/__init__.py": "", "rich/a.py": "1"})
LOCAL = make_index("local", place={"path": "wheels/local-1.0-py3-none-any.whl"})
LOCK = Lock(
    targets=(
        TargetLock(
            target=LINUX,
            packages=(locked(LOCAL, ("extra:a", "!group:b"), ("group:c",)), locked(RICH)),
            prefer={"bin/x": "local", "a": "rich-wheel"},
        ),
        TargetLock(target=DARWIN, packages=(locked(RICH, ("extra:a",)),)),
        TargetLock(
            target=Target.parse("3.13t", "aarch64-linux", glibc="2.28"),
            packages=(),
            archive=PythonArchive(url="https://host.invalid/x.tar.gz", sha256="0" * 64),
        ),
    ),
    wheels={
        LOCAL.source.filename: locked_wheel(LOCAL, Overrides(copy=("local/*", "*.txt"), link=("*.so",), solid=True)),
        RICH.source.filename: locked_wheel(RICH),
    },
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
    assert read.wheels == LOCK.wheels


def test_what_no_index_has_is_told_apart(tmp_path: Path) -> None:
    """A wheel that was asked for by its place says so, and the others say nothing."""
    wheels = {**LOCK.wheels}
    direct = replace(wheels[LOCAL.source.filename], source=replace(LOCAL.source, direct=True))
    text = replace(LOCK, wheels={**wheels, LOCAL.source.filename: direct}).to_text()
    read = _read(tmp_path, text)
    assert [wheel.name for wheel in read.wheels.values() if wheel.source.direct] == ["local"]
    assert read.to_text() == text


def test_the_text_is_json_with_a_format() -> None:
    """The text is JSON, begins with its format, and ends with a newline; what is usual is not said."""
    text = LOCK.to_text()
    data = json.loads(text)
    assert next(iter(data.items())) == ("nixgen", 2)
    assert text.endswith("}\n")
    local, rich = data["packages"]
    assert local["placement"] == {"copy": ["local/*", "*.txt"], "link": ["*.so"], "solid": True}
    assert local["when"] == [["extra:a", "!group:b"], ["group:c"]]
    assert local["targets"] == [LINUX.key]
    assert rich["targets"] == {LINUX.key: [[]], DARWIN.key: [["extra:a"]]}
    assert "placement" not in rich and "when" not in rich
    assert data["targets"][0]["prefer"] == {"a": "rich-wheel", "bin/x": "local"}
    assert [target["libc"] for target in data["targets"]] == ["glibc 2.35", "macos 14.0", "glibc 2.28"]
    assert set(make_text_of_one()) == {"name", "version", "wheel", "url", "sha256", "size", "index"}


def make_text_of_one() -> dict[str, Any]:
    """Return what the lock of one wheel, for one target, says of it."""
    (package,) = json.loads(make_lock(RICH).to_text())["packages"]
    found: dict[str, Any] = package
    return found


def test_the_order_of_building_does_not_show() -> None:
    """Wheels, files and preferences in another order give the same bytes."""
    prefer = {"a": "x", "b": "y"}
    forth = make_lock(RICH, LOCAL, prefer=prefer)
    turned = replace(RICH, files=dict(reversed(RICH.files.items())))
    back = make_lock(LOCAL, turned, prefer=dict(reversed(prefer.items())))
    assert forth.to_text() == back.to_text()


def test_a_release_changes_six_lines() -> None:
    """Another release of one package is three lines for three, and nothing else changes."""
    others = [make_index(f"other{number}") for number in range(20)]
    before, after = (
        make_lock(make_index("demo", {"demo.py": version}, version=version), *others).to_text().splitlines()
        for version in ("1.0", "1.1")
    )
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert len(changed) == 6
    assert changed[0].startswith('-   {"name": "demo", "version": "1.0"')


def test_a_package_is_said_once() -> None:
    """A wheel that several targets share stands in the lock once, whatever they want of it."""
    targets = [TargetLock(target=Target.parse(f"3.{n}", "x86_64-linux"), packages=(locked(RICH),)) for n in (11, 12)]
    text = Lock(targets=tuple(targets), wheels={RICH.source.filename: locked_wheel(RICH)}).to_text()
    assert text.count(RICH.source.sha256 or "") == 1 and "targets" not in json.loads(text)["packages"][0]


def test_a_wheel_takes_little() -> None:
    """A wheel takes at most 600 bytes, with long names too; an empty lock is a few lines."""
    name = "a-package-with-quite-a-long-name"
    url = f"https://files.example.invalid/packages/{'a' * 2}/{'b' * 2}/{'c' * 60}/"
    tag = "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64"
    wheel = make_index(name)
    filename = f"{name.replace('-', '_')}-2026.10.1-{tag}.whl"
    wheel = replace(wheel, source=replace(wheel.source, filename=filename, url=url + filename))
    empty = Lock(targets=make_lock().targets, wheels={}).to_text()
    assert len(make_lock(wheel).to_text()) - len(empty) <= 600
    assert len(empty.splitlines()) <= 12


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
        _without("packages"),
        _without("targets"),
        _without("extras"),
        _without("defaultGroups"),
        _without("targets", "0", "python"),
        _without("targets", "0", "libc"),
        _without("packages", "0", "name"),
        _without("packages", "0", "wheel"),
        _without("packages", "0", "sha256"),
        _without("packages", "0", "size"),
        _without("packages", "0", "index"),
        _with("x", "targets"),
        _with("glibc", "targets", "0", "libc"),
        _with("glibc x.y", "targets", "0", "libc"),
        _with(7, "packages", "0", "sha256"),
        _with("abc", "packages", "0", "sha256"),
        _with("abc", "packages", "0", "index"),
        _with(None, "packages"),
        _with(["3.9-x86_64-linux"], "packages", "0", "targets"),
        _with(7, "packages", "0", "when"),
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


@pytest.mark.parametrize("text", ["", "{", "\xff"])
def test_what_is_no_json_is_an_error(tmp_path: Path, text: str) -> None:
    """A file that is no JSON is refused."""
    path = tmp_path / "nixgen.lock"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="cannot read the lock") as caught:
        Lock.from_file(path)
    assert caught.value.where == str(path)


def test_a_conflict_is_told(tmp_path: Path) -> None:
    """What Git leaves of a merge is told as such, with its line."""
    path = tmp_path / "nixgen.lock"
    path.write_text('{\n<<<<<<< ours\n"nixgen": 2\n=======\n>>>>>>> theirs\n}')
    with pytest.raises(InputError, match="conflict of a merge") as caught:
        Lock.from_file(path)
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"nixgen": 3}', '{"nixgen": "2"}', '{"nixgen": null}'])
def test_another_format_is_an_error(tmp_path: Path, text: str) -> None:
    """A format that this nixgen does not know is refused, with both formats."""
    with pytest.raises(InputError, match="this nixgen reads format 2") as caught:
        _read(tmp_path, text)
    assert "nixgen lock" in str(caught.value.todo)


def test_no_lock_is_an_error(tmp_path: Path) -> None:
    """Without a lock, the message says how to get one."""
    with pytest.raises(InputError, match="there is no lock") as caught:
        Lock.from_file(tmp_path / "nixgen.lock")
    assert caught.value.todo == "run `nixgen lock`"
