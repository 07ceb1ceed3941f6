"""The Python of a target as an archive of python-build-standalone, which Nix fetches.

The addresses and checksums are those of ``pbs-installer``, which brings a list of all builds up to its own release: a
newer one knows newer builds, and nobody else is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from importlib.metadata import version

from nixgen.credentials import without_credentials
from nixgen.errors import InputError
from nixgen.lock import Lock
from nixgen.model import PythonArchive
from nixgen.targets import Target

#: Nix's names of a system's parts, and the list's.
_MACHINES = {"x86_64": "x86_64", "aarch64": "aarch64", "i686": "x86"}
_PLATFORMS = {"linux": "linux", "darwin": "macos"}

#: The archives that hold what runs and nothing else, by a word in their names; Nix unpacks no others.
_FLAVOUR = "install_only"


def with_archives(
    targets: Iterable[Target],
    previous: Lock | None,
    *,
    exact: Collection[str] = (),
    upgrade: bool = False,
    mirror: str | None = None,
) -> tuple[list[Target], dict[str, PythonArchive]]:
    """Return targets with the patch levels that there are builds of, and the archive of each by its key.

    What the existing lock has stays, unless another patch level is asked for. Else it is the newest build, of the
    newest patch level where none is asked for.

    Args:
        targets: what to lock for.
        previous: the existing lock.
        exact: the minor versions of which a patch level is asked for: that of the target.
        upgrade: whether to take the newest build in place of what the existing lock has.
        mirror: another root of the archives; a login in it is left out.

    Raises:
        InputError: there is no build for some of them; names all.
    """
    held = {locked.target.key: locked for locked in previous.targets} if previous and not upgrade else {}
    found: list[Target] = []
    archives: dict[str, PythonArchive] = {}
    missing = []
    for target in targets:
        kept, asked = held.get(target.key), target.python in exact
        if kept and kept.archive and not (asked and kept.target.full_version != target.full_version):
            full_version, archive = kept.target.full_version, kept.archive
        else:
            newest = _newest(target, target.full_version if asked else target.python.rstrip("t"), mirror)
            if newest is None:
                missing.append(f"Python {target.full_version if asked else target.python} on {target.system}")
                continue
            full_version, archive = newest
        found.append(replace(target, full_version=full_version))
        archives[target.key] = archive
    if missing:
        raise InputError(
            f"there is no standalone build of {'; '.join(missing)}",
            where=f"the list of pbs-installer {version('pbs-installer')}",
            todo="choose another --python or --system, update the list (`pip install --upgrade pbs-installer`), "
            "or take other Pythons (--no-standalone)",
        )
    return found, archives


def _newest(target: Target, request: str, mirror: str | None) -> tuple[str, PythonArchive] | None:
    """Return the newest build for a target: its full version, and the archive; None where there is none.

    Args:
        target: whose system counts, and whether it is free-threaded.
        request: a minor version or a full one.
        mirror: another root of the archives.
    """
    # Imported here: it reads a megabyte of JSON.
    from pbs_installer import get_download_link

    machine, _, platform = target.system.partition("-")
    if target.libc == "musl" or machine not in _MACHINES:
        return None
    try:
        found, (url, sha256) = get_download_link(
            request, _MACHINES[machine], _PLATFORMS[platform], free_threaded=target.free_threaded
        )
    except ValueError:
        return None
    if _FLAVOUR not in url or sha256 is None:
        return None
    if mirror is not None:
        release, name = url.split("/")[-2:]
        url = f"{without_credentials(mirror).rstrip('/')}/{release}/{name}"
    return f"{found.major}.{found.minor}.{found.micro}", PythonArchive(url=url, sha256=sha256)
