"""Where a wheel's files would be installed, as far as that must be refused.

Source: the binary distribution format ("The .data directory").
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nixgen.wheels.findings import Findings, quoted

#: Commands that would replace the environment's own interpreter.
INTERPRETER = re.compile(r"(python([0-9.]+t?)?|pythonw)(\.exe)?", re.IGNORECASE)

SCHEMES = ("purelib", "platlib", "scripts", "headers", "data")

#: What a virtual environment and a store path keep for themselves: nixgen's manifest, and what stdenv runs.
_OWN_DATA = re.compile(r"pyvenv\.cfg|(lib64|nix-support|\.nixgen)(/.*)?|lib|bin|include", re.IGNORECASE | re.DOTALL)


def check_schemes(files: Iterable[str], data_dir: str | None, findings: Findings) -> None:
    """Report files of ``data_dir`` with an unknown scheme or in the place of an environment's own parts.

    Args:
        files: paths in the archive, POSIX separators.
        data_dir: name of the ``.data`` directory, None where there is none.
        findings: where problems are reported.
    """
    if data_dir is None:
        return
    for path in files:
        if not path.startswith(f"{data_dir}/"):
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


def _is_own(scheme: str, path: str) -> bool:
    if scheme == "scripts":
        return INTERPRETER.fullmatch(path) is not None
    if scheme != "data":
        return False
    directory, slash, command = path.partition("/")
    if slash and directory.lower() == "bin" and INTERPRETER.fullmatch(command):
        return True
    return _OWN_DATA.fullmatch(path) is not None
