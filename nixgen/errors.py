"""What can go wrong, by class: each class is one exit code of the command line.

A message has three parts: what is wrong, where, and what to do. ``NixgenError`` joins them; no traceback reaches a
user unless ``--debug`` asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence


class NixgenError(Exception):
    """Base of every error a user may see.

    Args:
        what: what is wrong, one sentence without a final stop.
        where: the file, package, wheel member or URL it is about.
        todo: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, todo: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.todo:
            lines.append(f"  what to do: {self.todo}")
        return "\n".join(lines)


class UsageError(NixgenError):
    """The command line does not make sense."""

    exit_code = 2


class InputError(NixgenError):
    """A file the user gave (requirements, a lock, a wheel) cannot be used."""

    exit_code = 3


class NetworkError(NixgenError):
    """A server did not give what was asked for.

    Attributes:
        status: what it answered instead, an HTTP status; None where it gave no answer.
    """

    exit_code = 4
    status: int | None = None


class VerificationError(NixgenError):
    """Bytes do not have the hash they were promised to have."""

    exit_code = 5


class NixError(NixgenError):
    """Nix is missing, or a Nix command failed."""

    exit_code = 6


class LostPathError(NixError):
    """The store does not hold what its database says, or what a garbage collection has just taken."""


class BuildError(NixError):
    """A package cannot be built from its source."""


class MachineError(NixgenError):
    """The machine does not let nixgen work: no room, no rights, a limit."""

    exit_code = 7


class WheelError(InputError):
    """A wheel breaks a rule; names the wheel, and every problem found in it at once.

    Args:
        wheel: the wheel's file name.
        problems: one line per problem, each naming the member it is about.
    """

    def __init__(self, wheel: str, problems: Sequence[str], *, todo: str | None = None) -> None:
        listed = list(problems)
        what = listed[0] if len(listed) == 1 else "".join(["it has these problems:", *(f"\n    {p}" for p in listed)])
        super().__init__(
            f"cannot use the wheel {wheel}: {what}",
            todo=todo or "report it to the package's authors, or choose another version of it",
        )
        self.wheel = wheel
        self.problems = listed
