"""When a package of a lock is wanted: its marker, solved for the extras and groups a user may choose."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import cast

from packaging.markers import Environment, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.model import ALWAYS, Clause

#: How many extras and groups one marker may name: the truth table has two to that power of rows.
MOST_NAMES = 12

_MEMBERSHIP = re.compile(r"""(["'])(?P<name>[^"']+)\1\s+(?:not\s+)?in\s+(?P<set>extras|dependency_groups)\b""")
_SETS = {"extras": "extra", "dependency_groups": "group"}


def selectors(marker: Marker) -> set[str]:
    """Return the selectors a marker of a lock names: ``extra:NAME`` and ``group:NAME``, names normalized."""
    return {f"{_SETS[match['set']]}:{canonicalize_name(match['name'])}" for match in _MEMBERSHIP.finditer(str(marker))}


def when(
    marker: Marker | None, environment: Environment, choosable: Iterable[str], *, where: str
) -> tuple[Clause, ...]:
    """Return the combinations of selectors under which a marker holds, as a disjunctive normal form.

    Monotone markers, which are all that lockers write, give their minimal combinations; any other gives one
    clause per combination, with ``!`` for what is not chosen.

    Args:
        marker: a package's marker, None where it has none.
        environment: the target's marker environment.
        choosable: the selectors a user may choose; any other counts as not chosen.
        where: what to name in an error.

    Returns:
        clauses, sorted by length and content; ``ALWAYS`` for a marker that holds whatever is chosen, an empty
        tuple for one that never does.

    Raises:
        InputError: the marker names more than ``MOST_NAMES`` extras and groups, or cannot be evaluated.
    """
    if marker is None:
        return ALWAYS
    names = sorted(selectors(marker) & set(choosable))
    if len(names) > MOST_NAMES:
        raise InputError(
            f"a marker names {len(names)} extras and groups, more than the {MOST_NAMES} that nixgen solves",
            where=where,
            todo="choose fewer with --extra and --group",
        )
    subsets = [frozenset(chosen) for size in range(len(names) + 1) for chosen in itertools.combinations(names, size)]
    try:
        true = {chosen for chosen in subsets if _holds(marker, environment, chosen)}
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise InputError(
            f"the marker {str(marker)!r} cannot be evaluated in a lock: {error}",
            where=where,
            todo="correct the lock, or make it again",
        ) from error
    minimal = [chosen for chosen in subsets if chosen in true and not any(other < chosen for other in true)]
    if all((chosen in true) == any(least <= chosen for least in minimal) for chosen in subsets):
        return tuple(sorted((tuple(sorted(chosen)) for chosen in minimal), key=_order))
    literals = (tuple(name if name in chosen else f"!{name}" for name in names) for chosen in subsets if chosen in true)
    return tuple(sorted(literals, key=_order))


def _holds(marker: Marker, environment: Environment, chosen: Iterable[str]) -> bool:
    sets: dict[str, set[str]] = {"extra": set(), "group": set()}
    for selector in chosen:
        kind, _, name = selector.partition(":")
        sets[kind].add(name)
    full: dict[str, str | AbstractSet[str]] = {
        **cast("Mapping[str, str]", environment),
        "extras": frozenset(sets["extra"]),
        "dependency_groups": frozenset(sets["group"]),
    }
    return marker.evaluate(full, context="lock_file")


def _order(clause: Clause) -> tuple[int, Clause]:
    return len(clause), clause
