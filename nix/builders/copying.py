"""Copies of files of the store, which take no room where they can be one more name of the file that they are of."""

import os
import stat

_PIECE = 1 << 20


def copy(source, destination, mode, content=None):
    """Put a copy of a file of the store where nothing is.

    Nix gives files of its store one owner and time and two modes, so that equal ones can be one on the disk: what it
    makes itself of an optimised store. A build user owns none of them, and Nix refuses an output with a file that its
    builder does not own (``canonicalisePathMetaData``); a sandbox shows each store path by a mount of its own; and a
    file takes no more than so many names. There the bytes are copied.

    Args:
        source: the file.
        destination: path of the copy.
        mode: of the copy: 0o444 or 0o555.
        content: the file's bytes, where somebody has read them.
    """
    found = os.lstat(source)
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == mode:
        try:
            os.link(source, destination)
            return
        except OSError:
            pass
    with open(destination, "xb") as file:
        if content is None:
            _copy(source, file)
        else:
            file.write(content)
    os.chmod(destination, mode)


def _copy(source, file):
    # Not by shutil, which takes longer to import than most builds have to copy.
    with open(source, "rb") as opened:
        while True:
            piece = opened.read(_PIECE)
            if not piece:
                break
            file.write(piece)
