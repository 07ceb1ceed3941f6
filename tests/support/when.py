"""When packages belong to an environment: one table for nixgen/plan.py and nix/lock.nix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nixgen.model import ALWAYS, Clause
from tests.support.locks import Json


@dataclass(frozen=True)
class Case:
    """Whether a package with clauses is wanted by a choice of extras, groups and a member of the workspace."""

    when: tuple[Clause, ...]
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    wanted: bool
    member: str | None = None


CLAUSES = [
    Case(ALWAYS, (), (), True),
    Case(ALWAYS, ("a",), ("dev",), True),
    Case((), (), (), False),
    Case((("extra:a",),), (), (), False),
    Case((("extra:a",),), ("a",), (), True),
    Case((("extra:a",),), ("b",), (), False),
    Case((("group:dev",),), ("a",), ("test",), False),
    Case((("group:dev",),), (), ("test", "dev"), True),
    Case((("extra:a", "extra:b"),), ("a",), (), False),
    Case((("extra:a", "extra:b"),), ("a", "b"), (), True),
    Case((("extra:a",), ("extra:b",)), ("b",), (), True),
    Case((("extra:a",), ("group:test",)), (), ("test",), True),
    Case((("!extra:a",),), (), (), True),
    Case((("!extra:a",),), ("a",), (), False),
    Case((("!extra:a", "group:dev"),), (), ("dev",), True),
    Case((("!extra:a", "group:dev"),), ("a",), ("dev",), False),
    Case((("extra:a", "!extra:b"), ("extra:b", "!extra:a")), ("a",), (), True),
    Case((("extra:a", "!extra:b"), ("extra:b", "!extra:a")), ("a", "b"), (), False),
    Case((("!extra:a",), ("extra:a", "group:test")), ("a",), ("test",), True),
    Case(ALWAYS, (), (), False, "one"),
    Case((("package:one",),), (), (), False),
    Case((("package:one",),), (), (), True, "one"),
    Case((("package:one",),), (), (), False, "two"),
    Case(((), ("package:one",)), (), (), True),
    Case(((), ("package:one",)), (), (), True, "one"),
    Case((("package:one", "extra:a"),), ("a",), (), True, "one"),
    Case((("package:one", "extra:a"), ("extra:a",)), ("b",), (), False, "one"),
    Case((("extra:a",), ("package:one", "group:dev")), ("a",), (), False, "one"),
]


def package_of(case: Case) -> str:
    """Return the name of the package that a case is about."""
    return f"package{CLAUSES.index(case)}"


def packages_of(cases: Sequence[Case]) -> list[Json]:
    """Return the packages of some cases, as a lock has them."""
    found = []
    for case in cases:
        name = package_of(case)
        always = {} if case.when == ALWAYS else {"when": [list(clause) for clause in case.when]}
        found.append({"name": name, "version": "1", "wheel": f"{name}-1-py3-none-any.whl", **always})
    return found
