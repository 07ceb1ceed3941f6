"""What the checks of one archive found: problems stop it, warnings do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

#: How many problems of one archive are listed before the rest is only counted.
MAX_LISTED = 50

_MAX_QUOTED = 160


@dataclass(kw_only=True)
class Findings:
    """Collect what is wrong with one archive, so that everything is reported at once.

    Attributes:
        problems: rules the archive breaks, one line each.
        damage: places where its bytes contradict each other, one line each: maybe the transport's fault.
        warnings: oddities with a defined result, one line each.
    """

    problems: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def listed(self) -> list[str]:
        """Give damage and problems, cut to ``MAX_LISTED`` lines."""
        found = [*self.damage, *self.problems]
        if len(found) <= MAX_LISTED:
            return found
        return [*found[:MAX_LISTED], f"and {len(found) - MAX_LISTED} more problems"]


def quoted(name: str) -> str:
    """Quote a name that comes from an archive: control characters escaped, long ones cut."""
    shown = name if len(name) <= _MAX_QUOTED else name[: _MAX_QUOTED - 3] + "..."
    return repr(shown) if shown.isprintable() else ascii(shown)


def some(names: Iterable[str], *, limit: int = 3) -> str:
    """Name the first few of ``names``, in order, and count the rest."""
    listed = sorted(names)
    shown = ", ".join(quoted(name) for name in listed[:limit])
    return shown if len(listed) <= limit else f"{shown} and {len(listed) - limit} more"
