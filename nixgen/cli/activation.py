"""The variables of a process in an environment: what ``run`` and ``shell`` set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def activated(link: Path | None, variables: Mapping[str, str], more: Sequence[Path] = ()) -> dict[str, str]:
    """Return the variables of a process in an environment.

    Args:
        link: the environment, or a link to it; None where there is nothing of Python.
        variables: those of a process outside.
        more: further directories with programs.
    """
    inside = dict(variables)
    if link is not None:
        inside["VIRTUAL_ENV"] = str(link)
        inside.pop("PYTHONHOME", None)
        more = [link / "bin", *more]
    inside["PATH"] = os.pathsep.join([*map(str, more), variables.get("PATH", os.defpath)])
    return inside


def execute(
    link: Path | None,
    command: Sequence[str],
    outside: Mapping[str, str],
    before: Sequence[str] = (),
    more: Sequence[Path] = (),
) -> NoReturn:
    """Replace this process with a command in an environment.

    Args:
        link: as for ``activated``.
        command: a program that is looked up on the PATH inside, and its arguments.
        outside: the variables of a process outside.
        before: words that run the command, as ``nixgen.venv.alone`` gives them.
        more: as for ``activated``.

    Raises:
        UsageError: there is no command of that name.
    """
    from nixgen.errors import UsageError

    variables = activated(link, outside, more)
    places = [*([] if link is None else [link / "bin"]), *more]
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        import difflib

        programs = [path.name for place in places if place.is_dir() for path in place.iterdir()]
        near = difflib.get_close_matches(command[0], programs, n=1)
        raise UsageError(
            f"there is no command named {command[0]}",
            where=str(places[0]),
            todo=f"did you mean {near[0]}?" if near else "see what the environment has: ls result/bin",
        )
    if before:
        os.execve(before[0], [*before, program, *command[1:]], variables)
    os.execve(program, list(command), variables)
