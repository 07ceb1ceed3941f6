"""Copies of files of the store, which take no room where the machine can give them none."""

import os
import stat

_PIECE = 1 << 20


def copy(source, destination, mode):
    """Put a copy of a file of the store where nothing is.

    First as one more name of the file: Nix gives files of its store one owner and time and two modes, so that equal
    ones can be one on the disk, as they are in a store that it has optimised. A build user owns none of them, and Nix
    refuses an output with a file that its builder does not own (``canonicalisePathMetaData``); a sandbox shows each
    store path by a mount of its own; and a file takes no more than so many names. There, and for another mode, the
    file system is asked to copy, which shares the blocks of both where it can: Btrfs, XFS (``copy_file_range``).

    Args:
        source: the file.
        destination: path of the copy.
        mode: of the copy: 0o444 or 0o555.
    """
    found = os.lstat(source)
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == mode:
        try:
            os.link(source, destination)
            return
        except OSError:
            pass
    with open(source, "rb", buffering=0) as file, open(destination, "xb", buffering=0) as made:
        if not _copied(file.fileno(), made.fileno(), os.fstat(file.fileno()).st_size):
            file.seek(0)
            made.seek(0)
            _copy(file.fileno(), made.fileno())
    os.chmod(destination, mode)


def _copied(source, made, size):
    """Have the kernel copy an open file to another, and tell whether it has copied all of it."""
    try:
        while size > 0:
            done = os.copy_file_range(source, made, size)
            if not done:
                return False
            size -= done
    except (AttributeError, OSError):  # not Linux; two file systems, or one that cannot
        return False
    return True


def _copy(source, made):
    # Not by shutil, which takes longer to import than most builds have to copy.
    while True:
        piece = os.read(source, _PIECE)
        if not piece:
            break
        while piece:
            piece = piece[os.write(made, piece) :]
