"""What Nix says where it cannot have the Python that a lock names, as an error that a user can do something about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from nixgen.credentials import without_credentials
from nixgen.errors import NetworkError, NixError, NixgenError, VerificationError
from nixgen.model import PythonArchive
from nixgen.targets import default_system

#: The dynamic loaders of systems, as nix/standalone.nix has them.
_LOADERS = {
    "x86_64-linux": "/lib64/ld-linux-x86-64.so.2",
    "aarch64-linux": "/lib/ld-linux-aarch64.so.1",
    "i686-linux": "/lib/ld-linux.so.2",
}

#: What is said where a build does not see the C library: by Nix of the loader, by the loader of a library.
_HIDDEN = re.compile(
    r"executing '[^']*-python-3[^/']*/[^']*': No such file or directory"
    r"|python3\.\d+t?: error while loading shared libraries: "
)

_DOWNLOAD = re.compile(r"error: unable to download '(?P<url>[^']+)': (?P<why>[^\n;]+)")


def explain(error: NixError, archive: PythonArchive, *, sandbox: bool) -> NixgenError | None:
    """Return what a failed build says of the archive, or of the C library that it needs; None where it is neither's.

    Args:
        error: the failure, with what Nix said.
        archive: what the lock names.
        sandbox: whether Nix builds in a sandbox.
    """
    name = archive.url.rpartition("/")[2]
    if f"-{unquote(name)}.drv':" in error.what and "hash mismatch" in error.what:
        return VerificationError(
            "the archive of the Python is not the one that was locked, or not all of it",
            where=f"{archive.url}, SHA-256 {archive.sha256}",
            todo="see who has replaced it: the server or a mirror (UV_PYTHON_INSTALL_MIRROR); "
            "`nixgen lock --upgrade` locks the newest build",
        )
    for match in _DOWNLOAD.finditer(error.what):
        if match["url"].endswith(name):
            return NetworkError(
                f"cannot download the archive of the Python: {match['why']}",
                where=without_credentials(match["url"]),
                todo="try again; name a mirror that has it (UV_PYTHON_INSTALL_MIRROR), lock the newest build "
                "(`nixgen lock --upgrade`), or build with another Python (--python PATH)",
            )
    if sandbox and _HIDDEN.search(error.what):
        shown = " ".join(c_library())
        return NixError(
            "Nix builds in a sandbox, which does not see the C library of this machine, and the lock's standalone "
            "Python needs it",
            where=shown,
            todo=f'show it: --option extra-sandbox-paths "{shown}" (with Nix\'s daemon, its administrator does so in '
            "nix.conf); or build without the sandbox: --option sandbox false",
        )
    return None


def c_library(system: str | None = None) -> Sequence[str]:
    """Return what a sandbox has to show of the C library: the dynamic loader, and the directory of the libraries.

    Args:
        system: a Nix system; None for this machine's.
    """
    loader = _LOADERS.get(system or default_system())
    machine = (system or default_system()).partition("-")[0].replace("i686", "i386")
    places = (f"/lib/{machine}-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib", "/lib")
    directory = next((place for place in places if Path(place, "libc.so.6").exists()), None)
    return [path for path in (loader, directory) if path is not None]
