"""Reading locks and choosing from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import Nix
from tests.support.locks import lock_json, target_json, write_lock
from tests.support.when import CLAUSES, package_of, packages_of

READ = "nixgen.readLock (/. + file)"
TARGET = "nixgen.selectTarget { inherit lock system version; }"
PACKAGES = "nixgen.selectPackages { inherit lock target extras groups; }"

LOCK = lock_json(
    target_json("3.11", system="x86_64-linux"),
    target_json("3.12", system="x86_64-linux"),
    target_json("3.13t", system="aarch64-linux"),
)


def test_a_lock_is_read_with_its_directory(nix: Nix, tmp_path: Path) -> None:
    """``readLock`` gives what the file says and the directory that it lies in."""
    file = write_lock(tmp_path, LOCK)
    assert nix.evaluate(f'removeAttrs ({READ}) [ "directory" "wheels" ]', file=str(file)) == LOCK
    assert nix.evaluate(f"toString ({READ}).directory", file=str(file)) == str(tmp_path)


@pytest.mark.parametrize("found", [1, 3, 0, "2", None])
def test_another_format_is_refused(nix: Nix, tmp_path: Path, found: Any) -> None:
    """A format that the library does not know is refused, with the file and what to run."""
    file = write_lock(tmp_path, {"nixgen": found} if found is not None else {})
    said = nix.refusal(READ, file=str(file))
    assert f"the lock has format {found if found is not None else ''}, and this copy" in said
    assert "reads format 2" in said
    assert str(file) in said
    assert "run `nixgen lock`" in said


@pytest.mark.parametrize(
    ("system", "version", "expected"),
    [
        ("x86_64-linux", None, "3.11"),
        ("x86_64-linux", "3.11", "3.11"),
        ("x86_64-linux", "3.12", "3.12"),
        ("aarch64-linux", None, "3.13t"),
        ("aarch64-linux", "3.13t", "3.13t"),
    ],
)
def test_a_target_is_selected(nix: Nix, system: str, version: str | None, expected: str) -> None:
    """The first target of the system is taken, or the one of the version that is asked for."""
    assert nix.evaluate(TARGET, lock=LOCK, system=system, version=version)["python"] == expected


def test_the_version_may_be_left_out(nix: Nix) -> None:
    """Without a version, ``selectTarget`` takes the first target."""
    found = nix.evaluate('nixgen.selectTarget { inherit lock; system = "x86_64-linux"; }', lock=LOCK)
    assert found["python"] == "3.11"


@pytest.mark.parametrize(
    ("system", "version", "asked", "todo"),
    [
        ("x86_64-darwin", None, "any Python on x86_64-darwin", "`nixgen lock --system x86_64-darwin`"),
        ("x86_64-linux", "3.9", "Python 3.9 on x86_64-linux", "`nixgen lock --system x86_64-linux --python 3.9`"),
        ("aarch64-linux", "3.13", "Python 3.13 on aarch64-linux", "--python 3.13`"),
    ],
)
def test_a_missing_target_is_an_error(nix: Nix, system: str, version: str | None, asked: str, todo: str) -> None:
    """What the lock has no target for is named, with the targets it has and the command that adds one."""
    said = nix.refusal(TARGET, lock=LOCK, system=system, version=version)
    assert f"the lock has nothing for {asked}" in said
    assert "3.11 on x86_64-linux, 3.12 on x86_64-linux, 3.13t on aarch64-linux" in said
    assert todo in said


def test_packages_are_selected_by_their_clauses(nix: Nix) -> None:
    """A package is chosen where any of its clauses holds: the table that nixgen/plan.py is held to as well."""
    target = target_json("3.11", packages_of(CLAUSES))
    lock = {**lock_json(target, extras=["a", "b"], groups=["dev", "test"]), "members": ["one", "two"]}
    select = f"{PACKAGES.replace('extras groups', '')[:-1]} inherit (c) extras groups package; }}"
    expression = f"map (c: map (p: p.name) ({select})) cs"
    choices = [{"extras": list(case.extras), "groups": list(case.groups), "package": case.member} for case in CLAUSES]
    found = nix.evaluate(expression, lock=lock, target=target, cs=choices)
    chosen = [package_of(case) in names for case, names in zip(CLAUSES, found, strict=True)]
    assert chosen == [case.wanted for case in CLAUSES]


@pytest.mark.parametrize(("kind", "other"), [("extra", "group"), ("group", "extra")])
def test_an_unknown_name_is_an_error(nix: Nix, kind: str, other: str) -> None:
    """An extra or group that the lock does not hold is named, with those that it holds."""
    lock = lock_json(**{f"{kind}s": ["known", "more"], f"{other}s": ["wrong"]})
    asked = {f"{kind}s": ["known", "wrong", "bad"], f"{other}s": []}
    said = nix.refusal(PACKAGES, lock=lock, target=target_json("3.11"), **asked)
    assert f"the lock holds no {kind} named wrong, bad" in said
    assert "which holds: known, more" in said
    none = nix.refusal(PACKAGES, lock=lock_json(), target=target_json("3.11"), **asked)
    assert "which holds: none" in none


def test_two_versions_of_a_package_are_an_error(nix: Nix) -> None:
    """A choice that wants two versions of a package is refused with both; each alone is fine."""
    packages = [
        {"name": "demo", "version": "1", "wheel": "a", "when": [["extra:a"]]},
        {"name": "demo", "version": "2", "wheel": "b", "when": [["extra:b"]]},
    ]
    target = target_json("3.11", packages)
    values = {"lock": lock_json(target, extras=["a", "b"]), "target": target, "groups": []}
    said = nix.refusal(PACKAGES, extras=["a", "b"], **values)
    assert "demo (1 and 2)" in said
    assert "environments of their own" in said
    assert [p["version"] for p in nix.evaluate(PACKAGES, extras=["b"], **values)] == ["2"]


NAMES = ['${throw "x"}', "a'b", "''${x}''", "new\nline", "größe", "back\\slash", 'quote"', "$(touch pwned)"]


def test_odd_text_stays_text(nix: Nix, tmp_path: Path) -> None:
    """Names with the signs of Nix and of shells are text wherever they stand in a lock."""
    lock = lock_json(target_json("3.11"), extras=NAMES, wheels={name: {"url": name} for name in NAMES})
    file = write_lock(tmp_path, lock)
    found = nix.evaluate(f"let lock = {READ}; in {{ inherit (lock) extras wheels; }}", file=str(file))
    assert found == {"extras": NAMES, "wheels": {package["wheel"]: package for package in lock["packages"]}}
    assert json.loads(file.read_text(encoding="utf-8")) == lock
