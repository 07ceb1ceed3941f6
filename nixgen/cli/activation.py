"""The variables of a process in an environment: what ``run`` and ``shell`` set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def activated(link: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process in an environment.

    Args:
        link: the environment, or a link to it.
        variables: those of a process outside.
    """
    inside = {**variables, "VIRTUAL_ENV": str(link)}
    inside["PATH"] = os.pathsep.join([str(link / "bin"), variables.get("PATH", os.defpath)])
    inside.pop("PYTHONHOME", None)
    return inside


def execute(link: Path, command: Sequence[str], outside: Mapping[str, str], before: Sequence[str] = ()) -> NoReturn:
    """Replace this process with a command in an environment.

    Args:
        link: the environment, or a link to it.
        command: a program that is looked up on the PATH inside, and its arguments.
        outside: the variables of a process outside.
        before: words that run the command, as ``nixgen.venv.alone`` gives them.

    Raises:
        UsageError: there is no command of that name.
    """
    from nixgen.errors import UsageError

    variables = activated(link, outside)
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        import difflib

        programs = [path.name for path in Path(link, "bin").iterdir()]
        near = difflib.get_close_matches(command[0], programs, n=1)
        raise UsageError(
            f"there is no command named {command[0]}",
            where=str(Path(link, "bin")),
            todo=f"did you mean {near[0]}?" if near else "see what the environment has: ls result/bin",
        )
    if before:
        os.execve(before[0], [*before, program, *command[1:]], variables)
    os.execve(program, list(command), variables)
