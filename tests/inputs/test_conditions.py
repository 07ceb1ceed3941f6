"""Conditions: a marker solved for the extras and groups a user may choose."""

from __future__ import annotations

import itertools

import pytest
from packaging.markers import Marker

from nixgen.errors import InputError
from nixgen.inputs.conditions import selectors, when
from nixgen.model import ALWAYS, Clause
from nixgen.targets import Target

ENVIRONMENT = Target.parse("3.11", "x86_64-linux").environment()
CHOOSABLE = ["extra:a", "extra:b", "group:dev", "group:test"]


def solve(marker: str) -> tuple[Clause, ...]:
    return when(Marker(marker), ENVIRONMENT, CHOOSABLE, where="lock")


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_version >= '3.11'", ALWAYS),
        ("python_version < '3.11'", ()),
        ("sys_platform == 'win32' or 'a' in extras", (("extra:a",),)),
        ("sys_platform == 'linux' or 'a' in extras", ALWAYS),
        ("'a' in extras and sys_platform == 'win32'", ()),
        ("'a' in extras or 'dev' in dependency_groups", (("extra:a",), ("group:dev",))),
        ("'a' in extras and 'b' in extras", (("extra:a", "extra:b"),)),
        ("'a' in extras or ('a' in extras and 'b' in extras)", (("extra:a",),)),
        ("'Dev' in dependency_groups", (("group:dev",),)),
        ("'a' not in extras", (("!extra:a",),)),
        (
            "'a' in extras and 'b' not in extras",
            (("!extra:b", "extra:a"),),
        ),
        ("'unheld' in extras", ()),
        ("'unheld' not in extras", ALWAYS),
        ("'a' in extras or 'a' not in extras", ALWAYS),
    ],
)
def test_a_marker_becomes_the_combinations_it_holds_for(marker: str, expected: tuple[Clause, ...]) -> None:
    """What is always true, never true, monotone or negated has its own shortest form."""
    found = solve(marker)
    assert {frozenset(clause) for clause in found} == {frozenset(clause) for clause in expected}
    assert list(found) == sorted(found, key=lambda clause: (len(clause), clause))


@pytest.mark.parametrize(
    "marker",
    [
        "'a' in extras or 'b' in extras and 'dev' in dependency_groups",
        "('a' in extras or 'b' in extras) and 'dev' not in dependency_groups",
        "'a' not in extras and 'b' not in extras or 'test' in dependency_groups",
        "'a' in extras and 'b' not in extras or 'a' not in extras and 'b' in extras",
    ],
)
def test_the_clauses_hold_exactly_where_the_marker_does(marker: str) -> None:
    """Over every combination of selectors, the clauses and the marker agree."""
    clauses = solve(marker)
    for size in range(len(CHOOSABLE) + 1):
        for chosen in itertools.combinations(CHOOSABLE, size):
            environment = {
                **ENVIRONMENT,
                "extras": frozenset(name[6:] for name in chosen if name.startswith("extra:")),
                "dependency_groups": frozenset(name[6:] for name in chosen if name.startswith("group:")),
            }
            holds = any(
                all((literal[1:] not in chosen) if literal.startswith("!") else literal in chosen for literal in clause)
                for clause in clauses
            )
            assert holds == Marker(marker).evaluate(environment, context="lock_file"), chosen


def test_only_names_in_memberships_are_selectors() -> None:
    """Strings elsewhere in a marker are no extras."""
    marker = Marker("'a' in extras and sys_platform == 'extras' and \"x.y\" in dependency_groups")
    assert selectors(marker) == {"extra:a", "group:x-y"}


def test_too_many_names_are_an_input_error() -> None:
    """A marker whose truth table would be too large is refused, naming the package."""
    names = [f"e{number}" for number in range(13)]
    marker = Marker(" or ".join(f"'{name}' in extras" for name in names))
    with pytest.raises(InputError, match="lock, package x"):
        when(marker, ENVIRONMENT, [f"extra:{name}" for name in names], where="lock, package x")


def test_twelve_names_are_solved() -> None:
    """The largest truth table that is allowed is solved at once."""
    names = [f"e{number:02}" for number in range(12)]
    marker = Marker(" or ".join(f"'{name}' in extras" for name in names))
    found = when(marker, ENVIRONMENT, [f"extra:{name}" for name in names], where="lock")
    assert found == tuple((f"extra:{name}",) for name in names)


@pytest.mark.parametrize("marker", ["extra == 'a'", "extras == 'a'"])
def test_a_marker_that_no_lock_may_have_is_an_input_error(marker: str) -> None:
    """The marker of a package's metadata is no marker of a lock."""
    with pytest.raises(InputError, match="cannot be evaluated"):
        solve(marker)
