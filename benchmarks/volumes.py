"""Where a round makes its files: a fresh file system where root may mount one, else a directory.

A fresh one is the same for every round, and goes in one piece. Removing a million files takes minutes, and an ext4
without a journal avoids inodes that were deleted in the last minutes: looking for others makes each new file cost up
to a millisecond in the rounds that follow.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

#: A sparse file: what is not written takes no space.
_SIZE = 48 << 30


class Volume:
    """A place for files, made at once.

    Args:
        root: a path that does not exist yet; beside it lies ``ROOT.img`` where a file system could be mounted.
        mount: whether to try that.

    Attributes:
        root: the directory to use.
        mounted: whether it is a file system of its own.
    """

    def __init__(self, root: Path, *, mount: bool = True) -> None:
        self.root = root
        self._image = root.with_name(f"{root.name}.img")
        root.mkdir()
        self.mounted = mount and os.geteuid() == 0 and self._mount()

    def remove(self) -> None:
        """Remove everything."""
        if self.mounted:
            for _ in range(20):
                if _runs("umount", str(self.root)):
                    break
                time.sleep(0.5)
            else:
                _runs("umount", "--lazy", str(self.root))
            self._image.unlink()
            self.root.rmdir()
        else:
            _remove(self.root)

    def drop(self, *paths: Path) -> None:
        """Remove some directories where that costs nobody else: of a mounted one, whose space is given back."""
        if self.mounted:
            for path in paths:
                _remove(path)
            _runs("fstrim", str(self.root))

    def _mount(self) -> bool:
        with self._image.open("xb") as file:
            try:
                file.truncate(_SIZE)
            except OSError:  # a limit on the size of files
                self._image.unlink()
                return False
        # Tables of inodes are zero already, and nobody is to write them in the background.
        made = _runs("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=1", str(self._image))
        if made and _runs("mount", "-o", "loop,noinit_itable", str(self._image), str(self.root)):
            return True
        self._image.unlink()
        return False


def _remove(path: Path) -> None:
    for directory, _, _ in os.walk(path):
        os.chmod(directory, stat.S_IRWXU)  # noqa: PTH101
    shutil.rmtree(path)


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
