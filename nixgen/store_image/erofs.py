"""Writing the file system of a store image, with mkfs.erofs, and reading which one it is."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from nixgen import processes
from nixgen.errors import InputError, MachineError

#: Where the superblock has the magic number and the UUID (the kernel's fs/erofs/erofs_fs.h).
_SUPERBLOCK, _UUID = 1024, 48
_MAGIC = bytes.fromhex("e2e1f5e0")

#: Of all that is in the image, in seconds of the epoch: that of Nix's stores.
_TIME = 1


def find_program() -> str:
    """Return the path of mkfs.erofs.

    Raises:
        MachineError: it is not on this machine.
    """
    # Where the system keeps programs for file systems, which a user's PATH may lack.
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which("mkfs.erofs", path=places)
    if found is None:
        raise MachineError(
            "mkfs.erofs is not on this machine",
            where="PATH",
            todo="install erofs-utils: `apt-get install erofs-utils` on Debian and Ubuntu, `dnf install erofs-utils` "
            "on Fedora, erofs-utils of nixpkgs",
        )
    return found


def write_erofs(directory: Path, file: Path, name: str) -> None:
    """Write the image of a directory: the same bytes for the same content, by the same mkfs.erofs.

    Args:
        directory: what is to be in it. Owners, times and attributes do not count, hard links do.
        file: the image, not there yet.
        name: the UUID that it gets.

    Raises:
        MachineError: there is no mkfs.erofs, or it fails.
    """
    # No attributes (-x-1): those of SELinux are the machine's.
    command = [find_program(), "-x-1", f"-T{_TIME}", f"-U{name}", "--all-root", str(file), str(directory)]
    done = processes.run(command)
    if done.returncode != 0 or not file.is_file():
        said = (done.stderr or done.stdout).strip()
        raise MachineError(
            f"mkfs.erofs failed with exit code {done.returncode}:\n    " + said.replace("\n", "\n    "),
            where=str(file.parent),
            todo="see its message above; is there room for the image?",
        )


def read_uuid(file: Path) -> str:
    """Return the UUID of an image.

    Raises:
        InputError: it is not there, or none.
    """
    try:
        with file.open("rb") as image:
            image.seek(_SUPERBLOCK)
            block = image.read(_UUID + 16)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError("there is no image", where=str(file), todo="make it: `nixgen image --store`") from None
    if len(block) < _UUID + 16 or not block.startswith(_MAGIC):
        raise InputError("this is no EROFS image", where=str(file), todo="give one of `nixgen image --store`")
    return str(uuid.UUID(bytes=block[_UUID:]))
