"""Where a wheel's files would be installed, as far as that must be refused.

Source: the binary distribution format ("The .data directory").
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nixgen.archives.findings import Findings, quoted

#: Commands that would replace the environment's own interpreter.
INTERPRETER = re.compile(r"(python([0-9.]+t?)?|pythonw)(\.exe)?", re.IGNORECASE)

SCHEMES = ("purelib", "platlib", "scripts", "headers", "data")

#: The program of every environment that makes and heals what stands on it: root runs it.
VENV_PROGRAM = "nixgen-venv"

#: What a virtual environment and a store path keep for themselves: nixgen's manifest, what stdenv runs, what uv locks,
#: the directories of an environment, and its ways to the trees.
_OWN_DATA = re.compile(
    r"pyvenv\.cfg|(lib64|nix-support|\.nixgen|\.lock)(/.*)?|lib|bin|include"
    r"|lib/python3\.[0-9]+t?(/site-packages|/\.t?[0-9]+(/.*)?|/\.nixgen.*)?",
    re.IGNORECASE | re.DOTALL,
)

#: Where the scheme ``data`` reaches site-packages, of whichever Python.
_SITE = re.compile(r"lib/python3\.[0-9]+t?/site-packages/(.+)", re.DOTALL)

#: What an environment has in site-packages that its Python runs at the start (nix/builders/startup.py); a file where a
#: directory of bytecode goes.
_OWN_SITE = re.compile(
    r"0-nixgen-(libraries|writable)\.pth(/.*)?|_nixgen_(libraries|writable)([./].*)?|(.*/)?__pycache__",
    re.IGNORECASE | re.DOTALL,
)


def check_schemes(files: Iterable[str], data_dir: str | None, findings: Findings) -> None:
    """Report files in the place of an environment's own parts, and files of ``data_dir`` with an unknown scheme.

    Args:
        files: paths in the archive, POSIX separators.
        data_dir: name of the ``.data`` directory, None where there is none.
        findings: where problems are reported.
    """
    for path in files:
        if data_dir is None or not path.startswith(f"{data_dir}/"):
            if _is_own("site", path):
                findings.problems.append(f"{quoted(path)}: it would replace a part of the environment itself")
            continue
        scheme, slash, rest = path.removeprefix(f"{data_dir}/").partition("/")
        if not slash:
            findings.problems.append(f"{quoted(path)}: it belongs to no scheme of the .data directory")
        elif scheme not in SCHEMES:
            findings.problems.append(f"{quoted(path)}: unknown scheme {quoted(scheme)} of the .data directory")
        elif _is_own(scheme, rest):
            findings.problems.append(f"{quoted(path)}: it would replace a part of the environment itself")


def installed_path(path: str, data_dir: str | None) -> tuple[str, str]:
    """Give where a file is installed: ``site``, ``scripts``, ``headers`` or ``data``, and the path there."""
    if data_dir is None or not path.startswith(f"{data_dir}/"):
        return "site", path
    scheme, _, rest = path.removeprefix(f"{data_dir}/").partition("/")
    return ("site" if scheme in ("purelib", "platlib") else scheme), rest


def reached_path(scheme: str, path: str) -> tuple[str, str]:
    """Give where a place of ``installed_path`` is by another scheme, where the scheme ``data`` reaches into that.

    Args:
        scheme, path: what ``installed_path`` gave.
    """
    if scheme == "data":
        if match := _SITE.fullmatch(path):
            return "site", match[1]
        if path.startswith("bin/"):
            return "scripts", path.removeprefix("bin/")
    return scheme, path


def _is_own(scheme: str, path: str) -> bool:
    if scheme in ("site", "purelib", "platlib"):
        return _OWN_SITE.fullmatch(path) is not None
    if scheme == "scripts":
        return is_own_command(path.partition("/")[0])
    if scheme != "data":
        return False
    directory, slash, command = path.partition("/")
    if slash and directory.lower() == "bin" and is_own_command(command.partition("/")[0]):
        return True
    if (site := _SITE.fullmatch(path)) is not None:
        return _OWN_SITE.fullmatch(site[1]) is not None
    return _OWN_DATA.fullmatch(path) is not None


def is_own_command(name: str) -> bool:
    """Tell whether a command would stand in the place of one of the environment's own."""
    return INTERPRETER.fullmatch(name) is not None or name.lower() == VENV_PROGRAM
