"""A small disk of its own: ext4 in a file, which a directory of it stands for and a ballast beside that fills."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: In bytes; the file is sparse.
_SIZE = 512 << 20
#: More than any verb takes here, and few enough to use them up in half a second.
_INODES = 8192


class SmallDisk:
    """A mounted disk.

    Args:
        root: where it is mounted. Commands see ``inside`` of it only, the rest is ballast.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ballast = root / "ballast"
        self.inside = root / "inside"
        self._ballast.mkdir()
        self.inside.mkdir()

    def used(self) -> tuple[int, int]:
        """Return the KiB and inodes that are used."""
        status = os.statvfs(self._root)
        return (status.f_blocks - status.f_bfree) * status.f_frsize // 1024, status.f_files - status.f_ffree

    def leave(self, kilobytes: int) -> None:
        """Fill it until this much room is left, or a little more."""
        os.sync()  # what is written and has no blocks yet gets its own
        status = os.statvfs(self._root)
        ballast = status.f_bavail * status.f_frsize - kilobytes * 1024
        with (self._ballast / "blocks").open("wb") as file:
            while True:
                try:
                    os.posix_fallocate(file.fileno(), 0, ballast)
                    return
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                file.truncate(0)
                ballast -= 4 * status.f_frsize  # scattered room takes blocks of its own to say where it is

    def leave_inodes(self, number: int) -> None:
        """Make files until this many more can be made."""
        for name in range(os.statvfs(self._root).f_ffree - number):
            (self._ballast / str(name)).touch()

    def freeze(self) -> None:
        """Make it read-only."""
        self._remount("ro")

    def relent(self) -> None:
        """Let it be written again, and give the room back."""
        self._remount("rw")
        shutil.rmtree(self._ballast)
        self._ballast.mkdir()

    def _remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self._root], check=True)


def missing() -> str:
    """Return why there can be no such disk here, empty where there can."""
    if os.geteuid() != 0:
        return "it takes root to mount disks"
    for program in ("mount", "mkfs.ext4"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    with tempfile.TemporaryDirectory() as directory:
        try:
            with small_disk(Path(directory) / "disk"):
                return ""
        except subprocess.CalledProcessError:
            return "this machine lets nobody mount an ext4 image"


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[SmallDisk]:
    """Make a directory a disk of its own: ``path``, which is made where it is missing."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="disk-", ignore_cleanup_errors=True) as directory:
        image, root = Path(directory) / "image", Path(directory) / "root"
        with image.open("wb") as file:
            file.truncate(_SIZE)
        root.mkdir()
        path.mkdir(exist_ok=True)
        subprocess.run(
            # No blocks are kept back for root, which runs the commands.
            ["mkfs.ext4", "-q", "-F", "-m0", "-N", str(_INODES), "-E", "nodiscard,lazy_itable_init=1", image],
            check=True,
            capture_output=True,
        )
        subprocess.run(["mount", "-o", "loop,noinit_itable", image, root], check=True, capture_output=True)
        try:
            disk = SmallDisk(root)
            subprocess.run(["mount", "--bind", disk.inside, path], check=True)
            try:
                yield disk
            finally:
                _unmount(path)
        finally:
            _unmount(root)


def _unmount(path: Path) -> None:
    # Lazily: what a command that was ended left running may still look at it.
    subprocess.run(["umount", "--lazy", path], check=True)
