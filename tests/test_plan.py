"""From selections and indexes to a lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from nixgen.errors import InputError
from nixgen.lock import Lock, TargetLock
from nixgen.model import Clause, LockedPackage, Selection, WheelIndex
from nixgen.plan import choose, find_collisions, installed_paths, plan, wanted
from nixgen.targets import Target
from tests.builders.conftest import layout
from tests.support.indexes import DARWIN, LINUX, locked, make_index
from tests.support.when import CLAUSES, Case

SITE = "lib/python3.11/site-packages"


def _plan(
    *packages: LockedPackage,
    indexes: tuple[WheelIndex, ...],
    target: Target = LINUX,
    prefer: Mapping[str, str] | None = None,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    default_groups: tuple[str, ...] = (),
) -> Lock:
    selection = Selection(packages=packages, extras=extras, groups=groups, default_groups=default_groups)
    known = {index.source.filename: index for index in indexes}
    return plan({target.key: selection}, [target], known, prefer)


def _together(*indexes: WheelIndex, target: Target = LINUX, prefer: Mapping[str, str] | None = None) -> Lock:
    return _plan(*map(locked, indexes), indexes=indexes, target=target, prefer=prefer)


def _paths(*indexes: WheelIndex, target: Target = LINUX) -> dict[str, tuple[str, ...]]:
    known = {index.source.filename: index for index in indexes}
    found = find_collisions(map(locked, indexes), known, target)
    return {collision.path: collision.packages for collision in found}


COLLISIONS: dict[str, tuple[list[WheelIndex], dict[str, tuple[str, ...]]]] = {
    "nothing shared": ([make_index("one"), make_index("two")], {}),
    "different content": (
        [make_index("one", {"a/x.py": "1"}), make_index("two", {"a/x.py": "2"})],
        {f"{SITE}/a/x.py": ("one", "two")},
    ),
    "equal content": ([make_index("one", {"a/x.py": "1"}), make_index("two", {"a/x.py": "1"})], {}),
    "both empty": ([make_index("one", {"a/__init__.py": ""}), make_index("two", {"a/__init__.py": ""})], {}),
    "one empty": (
        [make_index("one", {"a/__init__.py": ""}), make_index("two", {"a/__init__.py": "1"})],
        {f"{SITE}/a/__init__.py": ("one", "two")},
    ),
    "shared directory": ([make_index("one", {"a/x.py": "1"}), make_index("two", {"a/y.py": "1"})], {}),
    "file against directory": (
        [make_index("one", {"a": "1"}), make_index("two", {"a/y.py": "1"})],
        {f"{SITE}/a": ("one", "two")},
    ),
    "file against directory further down": (
        [make_index("one", {"a/b": "1"}), make_index("two", {"a/b/c/d.py": "1"})],
        {f"{SITE}/a/b": ("one", "two")},
    ),
    "three wheels, two contents": (
        [make_index("c", {"x": "1"}), make_index("a", {"x": "1"}), make_index("b", {"x": "2"})],
        {f"{SITE}/x": ("a", "b", "c")},
    ),
    "data against site-packages": (
        [make_index("one", {"a.py": "1"}), make_index("two", {f"two-1.0.data/data/{SITE}/a.py": "2"})],
        {f"{SITE}/a.py": ("one", "two")},
    ),
    "scripts": (
        [make_index("one", {"one-1.0.data/scripts/x": "1"}), make_index("two", {"two-1.0.data/scripts/x": "2"})],
        {"bin/x": ("one", "two")},
    ),
    "commands": (
        [make_index("one", console={"x": "one:main"}), make_index("two", console={"x": "two:main"})],
        {"bin/x": ("one", "two")},
    ),
    "equal commands": (
        [make_index("one", console={"x": "one:main"}), make_index("two", gui={"x": "one:main"})],
        {},
    ),
    "a command against a script": (
        [make_index("one", console={"x": "one:main"}), make_index("two", {"two-1.0.data/scripts/x": "2"})],
        {"bin/x": ("one", "two")},
    ),
    "a command and a script of one wheel": (
        [make_index("one", {"one-1.0.data/scripts/x": "2"}, console={"x": "one:main"}), make_index("two")],
        {},
    ),
    "headers": (
        [make_index("one", {"one-1.0.data/headers/x.h": "1"}), make_index("two", {"two-1.0.data/headers/x.h": "2"})],
        {},
    ),
    "names that differ in case": ([make_index("one", {"A.py": "1"}), make_index("two", {"a.py": "2"})], {}),
}


@pytest.mark.parametrize(("indexes", "expected"), COLLISIONS.values(), ids=COLLISIONS)
def test_collisions_are_found(indexes: list[WheelIndex], expected: dict[str, tuple[str, ...]]) -> None:
    """Paths that several wheels fill differently are found, with their packages, and nothing else is."""
    assert _paths(*indexes) == expected
    assert _paths(*reversed(indexes)) == expected


@pytest.mark.parametrize(
    ("one", "two", "collide"),
    [
        ({"A/x.py": "1"}, {"a/x.py": "2"}, True),
        ({"A/x.py": "1"}, {"a/x.py": "1"}, False),
        ({"README": "1"}, {"readme/x": "1"}, True),
        ({"A/x.py": "1"}, {"a/y.py": "2"}, False),
    ],
)
def test_macos_folds_case(one: dict[str, str], two: dict[str, str], collide: bool) -> None:
    """On macOS names that differ in case only are one name; on Linux they are two."""
    indexes = [make_index("one", one), make_index("two", two)]
    assert bool(_paths(*indexes, target=DARWIN)) is collide
    assert not _paths(*indexes, target=LINUX)


def test_a_free_threaded_python_has_a_directory_of_its_own() -> None:
    """The t of 3.13t is part of the path of site-packages and of headers."""
    index = make_index("one", {"a.py": "1", "one-1.0.data/headers/a.h": "2"})
    paths = {path for path, _ in installed_paths(index, "3.13t")}
    assert {"lib/python3.13t/site-packages/a.py", "include/site/python3.13t/one/a.h"} <= paths


def test_a_collision_is_an_error_that_shows_the_way_out() -> None:
    """The message names the path, both packages and the environment, and the setting that settles it."""
    with pytest.raises(InputError) as caught:
        _together(make_index("one", {"a.py": "1"}), make_index("two", {"a.py": "2"}))
    text = str(caught.value)
    assert f"{SITE}/a.py: one and two" in text
    assert "Python 3.11 on x86_64-linux" in text
    assert f'[tool.nixgen.prefer]\n    "{SITE}/a.py" = "one"' in text


def test_many_collisions_are_counted() -> None:
    """Of many colliding paths the first twenty are shown and the rest counted."""
    one, two = (make_index(name, {f"f{number:02}.py": name for number in range(25)}) for name in ("one", "two"))
    with pytest.raises(InputError) as caught:
        _together(one, two)
    assert "f19.py: one and two" in caught.value.what
    assert "f20.py" not in caught.value.what
    assert "and 5 more" in caught.value.what


@pytest.mark.parametrize(
    ("prefer", "settled"),
    [
        ({f"{SITE}/a.py": "two"}, "two"),
        ({"*/a.py": "one"}, "one"),
        ({"*": "two"}, "two"),
        ({"*/a.p?": "two", "*": "one"}, "two"),
        ({"bin/*": "one"}, None),
        ({"*/A.py": "one"}, None),
        ({"*": "three"}, None),
        ({"*": "three", "*/a.py": "two"}, "two"),
    ],
)
def test_preferences_settle_collisions(prefer: dict[str, str], settled: str | None) -> None:
    """The first pattern that fits the path and names one of its packages says whose file stands there."""
    indexes = make_index("one", {"a.py": "1"}), make_index("two", {"a.py": "2"}), make_index("three")
    if settled is None:
        with pytest.raises(InputError):
            _together(*indexes, prefer=prefer)
    else:
        lock = _together(*indexes, prefer=prefer)
        assert lock.targets[0].prefer == {f"{SITE}/a.py": settled}


def test_a_preference_without_collision_is_not_locked() -> None:
    """Only what had to be settled stands in the lock."""
    assert _together(make_index("one"), make_index("two"), prefer={"*": "one"}).targets[0].prefer == {}


@pytest.mark.parametrize(
    ("asked", "winner"),
    [
        ({}, "two"),
        ({"one": {"two"}}, "one"),
        ({"two": {"one"}}, "two"),
        ({"one": {"two"}, "two": {"one"}}, "two"),
        ({"one": {"six"}}, "two"),
        ({"one": {"one"}}, "two"),
    ],
)
def test_one_wheel_wins_as_a_whole(asked: dict[str, set[str]], winner: str) -> None:
    """Who asks for the other wins on every path, else the later name; the order of packages has no part in it."""
    one = make_index("one", {"a.py": "1", "b.py": "1", "same.py": "1", "own1.py": ""})
    two = make_index("two", {"a.py": "2", "b.py": "2", "same.py": "1", "own2.py": ""})
    questions: list[Sequence[str]] = []

    def requires(names: Sequence[str]) -> dict[str, set[str]]:
        questions.append(names)
        return asked

    known = {index.source.filename: index for index in (one, two)}
    for order in ((one, two), (two, one)):
        selection = Selection(packages=tuple(map(locked, order)))
        lock = plan({LINUX.key: selection}, [LINUX], known, requires=requires)
        assert lock.targets[0].prefer == {f"{SITE}/a.py": winner, f"{SITE}/b.py": winner}
    assert questions == [["one", "two"]] * 2


def test_the_last_of_three_wins() -> None:
    """Among several, nobody wins whom another one asks for."""
    indexes = [make_index(name, {"a.py": name}) for name in ("one", "two", "six")]
    known = {index.source.filename: index for index in indexes}
    selection = Selection(packages=tuple(map(locked, indexes)))
    lock = plan({LINUX.key: selection}, [LINUX], known, requires=lambda _: {"six": {"two"}})
    assert lock.targets[0].prefer == {f"{SITE}/a.py": "six"}


def test_what_the_rule_does_not_settle() -> None:
    """What the user prefers is asked first, and a file where another wheel has a directory stays an error."""
    indexes = [make_index("one", {"a": "1", "c.py": "1"}), make_index("two", {"a/b.py": "2", "c.py": "2"})]
    known = {index.source.filename: index for index in indexes}
    selection = Selection(packages=tuple(map(locked, indexes)))
    with pytest.raises(InputError, match="different files for one path") as caught:
        plan({LINUX.key: selection}, [LINUX], known, {"*/c.py": "one"}, requires=lambda _: {})
    assert "c.py" not in caught.value.what
    alone = [make_index("one", {"c.py": "1"}), make_index("two", {"c.py": "2"})]
    known = {index.source.filename: index for index in alone}
    selection = Selection(packages=tuple(map(locked, alone)))
    lock = plan({LINUX.key: selection}, [LINUX], known, {"*/c.py": "one"}, requires=lambda _: {})
    assert lock.targets[0].prefer == {f"{SITE}/c.py": "one"}


REACHABLE: list[tuple[str, tuple[Clause, ...], tuple[Clause, ...], bool]] = [
    ("both always", ((),), ((),), True),
    ("one in an extra", ((),), (("extra:a",),), True),
    ("one in a group", ((),), (("group:b",),), True),
    ("both in one extra", (("extra:a",),), (("extra:a",),), True),
    ("in a default group and an extra", (("group:dev",),), (("extra:a",),), True),
    ("in two extras", (("extra:a",),), (("extra:c",),), False),
    ("in two groups", (("group:b",),), (("group:test",),), False),
    ("one instead of the other", (("extra:a",),), (("!extra:a",),), False),
    ("never with the defaults", (("!group:dev",),), (("group:b",),), False),
]


@pytest.mark.parametrize(
    ("one", "two", "refused"), [case[1:] for case in REACHABLE], ids=[case[0] for case in REACHABLE]
)
def test_only_plain_choices_are_refused(one: tuple[Clause, ...], two: tuple[Clause, ...], refused: bool) -> None:
    """A collision counts where the defaults, alone or with one extra or group, have both packages."""
    indexes = make_index("one", {"a.py": "1"}), make_index("two", {"a.py": "2"})
    packages = locked(indexes[0], *one), locked(indexes[1], *two)
    names = {"extras": ("a", "c"), "groups": ("b", "dev", "test"), "default_groups": ("dev",)}
    if refused:
        with pytest.raises(InputError, match="different files for one path"):
            _plan(*packages, indexes=indexes, **names)
    else:
        assert _plan(*packages, indexes=indexes, **names).targets[0].packages == packages


def test_two_versions_of_a_package_do_not_collide() -> None:
    """Versions of one package that exclude each other share their paths without a collision."""
    old, new = (make_index("demo", {"demo.py": version}, version=version) for version in ("1.0", "2.0"))
    packages = locked(old, ("!extra:new",)), locked(new, ("extra:new",))
    lock = _plan(*packages, indexes=(old, new), extras=("new",))
    assert [package.version for package in lock.targets[0].packages] == ["1.0", "2.0"]


def test_a_lock_has_the_wheels_of_all_targets() -> None:
    """Targets keep their order, wheels that several use stand once, and those that none uses are left out."""
    shared, linux, darwin, unused = (make_index(name) for name in ("shared", "linux", "darwin", "unused"))
    selections = {
        LINUX.key: Selection(packages=(locked(linux), locked(shared)), extras=("a",), groups=("g",)),
        DARWIN.key: Selection(packages=(locked(darwin), locked(shared)), extras=("b",), default_groups=("g",)),
    }
    known = {index.source.filename: index for index in (shared, linux, darwin, unused)}
    lock = plan(selections, [DARWIN, LINUX], known)
    assert [locked.target for locked in lock.targets] == [DARWIN, LINUX]
    assert set(lock.wheels) == set(known) - {unused.source.filename}
    assert (lock.extras, lock.groups, lock.default_groups) == (("a", "b"), ("g",), ("g",))


def test_a_package_gets_the_source_of_its_index() -> None:
    """What reading a wheel found out, its hash and size, is what the lock says of it."""
    index = make_index("demo")
    bare = LockedPackage(name="demo", version="1.0", wheel=type(index.source)(filename=index.source.filename))
    lock = _plan(bare, indexes=(index,))
    assert lock.targets[0].packages[0].wheel == index.source


@pytest.mark.parametrize("case", CLAUSES, ids=str)
def test_clauses_are_read_as_nix_reads_them(case: Case) -> None:
    """``wanted`` and ``choose`` give what the table says, to which nix/lock.nix is held too."""
    member = [] if case.member is None else [f"package:{case.member}"]
    chosen = frozenset(
        [*(f"extra:{name}" for name in case.extras), *(f"group:{name}" for name in case.groups), *member]
    )
    assert wanted(case.when, chosen) is case.wanted
    index = make_index("demo")
    package = LockedPackage(name="demo", version="1.0", wheel=index.source, when=case.when)
    lock = Lock(
        targets=(TargetLock(target=LINUX, packages=(package,)),),
        wheels={index.source.filename: index},
        extras=("a", "b"),
        groups=("dev", "test"),
        members=("one", "two"),
    )
    _, packages = choose(lock, system="x86_64-linux", extras=case.extras, groups=case.groups, member=case.member)
    assert packages == ((package,) if case.wanted else ())


CHOICES = Lock(
    targets=tuple(
        TargetLock(target=Target.parse(python, system), packages=())
        for python, system in [("3.12", "x86_64-linux"), ("3.11", "x86_64-linux"), ("3.13t", "aarch64-linux")]
    ),
    wheels={},
    extras=("a",),
    groups=("dev",),
    default_groups=("dev",),
)


@pytest.mark.parametrize(
    ("system", "python", "expected"),
    [
        ("x86_64-linux", None, "3.12"),
        ("x86_64-linux", "3.11", "3.11"),
        ("aarch64-linux", None, "3.13t"),
        ("x86_64-linux", "3.13t", None),
        ("aarch64-linux", "3.13", None),
        ("x86_64-darwin", None, None),
    ],
)
def test_a_target_is_chosen(system: str, python: str | None, expected: str | None) -> None:
    """The first target of the system and version is taken; none is an error that shows what there is."""
    if expected is None:
        with pytest.raises(InputError, match="the lock has nothing for") as caught:
            choose(CHOICES, system=system, python=python)
        assert "Python 3.13t on aarch64-linux" in str(caught.value.where)
        assert f"nixgen lock --system {system}" in str(caught.value.todo)
    else:
        assert choose(CHOICES, system=system, python=python)[0].target.python == expected


@pytest.mark.parametrize(("kind", "asked"), [("extra", {"extras": ["a", "b"]}), ("group", {"groups": ["b", "dev"]})])
def test_an_unknown_choice_is_an_error(kind: str, asked: dict[str, list[str]]) -> None:
    """An extra or group that the lock does not hold is named, with those that it holds."""
    with pytest.raises(InputError, match=f"the lock holds no {kind} named b\n") as caught:
        choose(CHOICES, system="x86_64-linux", **asked)
    assert "which holds: " + ("a" if kind == "extra" else "dev") in str(caught.value.where)


def test_groups_are_the_default_ones_unless_said() -> None:
    """No groups given means the lock's default groups; an empty list means none."""
    index = make_index("demo")
    package = locked(index, ("group:dev",))
    lock = Lock(
        targets=(TargetLock(target=LINUX, packages=(package,)),), wheels={}, groups=("dev",), default_groups=("dev",)
    )
    assert choose(lock, system="x86_64-linux")[1] == (package,)
    assert choose(lock, system="x86_64-linux", groups=[])[1] == ()


@pytest.mark.parametrize("version", [(3, 9), (3, 11), (3, 13)])
def test_paths_are_those_of_the_builder(version: tuple[int, int]) -> None:
    """``installed_paths`` says of every scheme what nix/builders/layout.py does when it installs."""
    data = "demo_pkg-1.0.data"
    files = ["demo/a.py", "top.py", f"{data}/purelib/p.py", f"{data}/platlib/p/q.so", f"{data}/scripts/s"]
    files += [f"{data}/headers/h.h", f"{data}/data/share/d", f"{data}/data/etc/e/f"]
    index = make_index("demo-pkg", dict.fromkeys(files, "1"), console={"run": "a:b"}, gui={"gui": "c:d"})
    places, site = layout.schemes("demo-pkg", version), layout.site_packages(version)
    expected = {layout.installed_path(path, data, places, site)[0] for path in index.files}
    found = dict(installed_paths(index, "{}.{}".format(*version)))
    assert found.keys() == expected | {"bin/run", "bin/gui"}
    assert (found["bin/run"], found["bin/gui"]) == ("a:b", "c:d")
