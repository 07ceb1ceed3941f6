"""Programs that need nothing of their wheel, told by the paths around them.

A leaf has no x bit, so a program is a copy in its wheel's tree, and every version of the wheel would have its own. Some
that are large look for no file by their own path: they become store paths of their own, which all trees link to.
Programs were 24 % of the bytes of 291 wheels, three of them 17 %: ffmpeg, and Node.js twice.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Mapping

from nixgen.wheels.members import is_executable

#: Below this many bytes, a copy costs less than one more build (measured: 60 ms).
WORTH_SHARING = 1 << 20

#: Where programs lie beside the directories that hold what they read: ../share, ../lib.
_PROGRAM_DIRECTORIES = frozenset(["bin", "sbin", "libexec", "scripts"])

#: What no program reads of what lies around it.
_NOT_READ = (".py", ".pyi", ".typed", ".md", ".rst", ".txt")
_NOTES = ("README", "LICENSE", "LICENCE", "COPYING", "NOTICE")

#: What has an x bit by mistake.
_NO_PROGRAM = (".py", ".so", ".dylib", ".dll", ".pyd", ".a", ".jar", ".js", ".node", ".exe")


def standing_alone(members: Mapping[str, zipfile.ZipInfo]) -> frozenset[str]:
    """Return the large executable files that have nothing around them that they could look for.

    Whether they are programs only their content tells, which the tree builder sees.

    Args:
        members: every regular file of the wheel by its path.
    """
    return frozenset(
        path
        for path, info in members.items()
        if info.file_size >= WORTH_SHARING and is_executable(info) and _may_be_program(path)
        if not any(_is_read(other) for other in _around(path, members) if members[other].file_size)
    )


def _may_be_program(path: str) -> bool:
    name = posixpath.basename(path)
    return not name.endswith(_NO_PROGRAM) and ".so." not in name


def _is_read(path: str) -> bool:
    return not path.endswith(_NOT_READ) and not posixpath.basename(path).startswith(_NOTES)


def _around(path: str, members: Mapping[str, zipfile.ZipInfo]) -> list[str]:
    """Return the other files in which a program could find something by its own path."""
    home, name = posixpath.split(path)
    root = posixpath.dirname(home) if posixpath.basename(home) in _PROGRAM_DIRECTORIES else home
    if name == "node":  # Node.js finds npm and its modules by its own path, and nothing else of what it runs
        modules = (f"{home}/node_modules/", f"{root}/node_modules/", f"{root}/lib/node_modules/")
        return [other for other in members if other.startswith(modules)]
    prefix = f"{root}/" if root else ""
    return [other for other in members if other != path and other.startswith(prefix)]
