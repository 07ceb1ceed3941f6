"""Hostile wheels from seeds: one seed is one wheel, the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from campaign.draft import Draft
from campaign.kinds import KINDS

#: How many mutations a wheel has, by weight.
_MUTATIONS = {1: 60, 2: 25, 3: 15}


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A wheel and how it was made.

    Attributes:
        seed: of its choices.
        kinds: names of its mutations, in the order in which they were made.
        filename: the wheel's.
        content: its bytes.
        marker: the name that it tries to put where it does not belong.
    """

    seed: int
    kinds: tuple[str, ...]
    filename: str
    content: bytes
    marker: str


def make(seed: int, kinds: Sequence[str] | None = None) -> Hostile:
    """Make the wheel of a seed.

    Args:
        seed: as many wheels follow each other as there are kinds, and each begins with another one.
        kinds: the mutations, where they are not the seed's to choose; none gives an honest wheel.

    Raises:
        KeyError: there is no such kind.
    """
    if kinds is None:
        kinds = _choose(seed)
    draft = Draft.honest(seed)
    for kind in kinds:
        # A generator of its own, so that a kind that comes later does not change what others choose.
        KINDS[kind](draft, random.Random(f"{seed} {kind}"))
    return Hostile(
        seed=seed, kinds=tuple(kinds), filename=draft.filename, content=draft.to_bytes(), marker=draft.marker()
    )


def _choose(seed: int) -> list[str]:
    names = list(KINDS)
    chance = random.Random(seed)
    (count,) = chance.choices(list(_MUTATIONS), list(_MUTATIONS.values()))
    first = names[seed % len(names)]
    return [first, *chance.sample([name for name in names if name != first], count - 1)]
