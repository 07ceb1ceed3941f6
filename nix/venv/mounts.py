"""Mounts by descriptors: system calls of Linux that Python does not have.

fsopen(2), fsmount(2), move_mount(2) and open_tree(2) are of Linux 5.2, mount_setattr(2) of 5.12; the manual pages are
those of the man-pages project. Nothing here needs a path that somebody could exchange meanwhile. Standard library only,
Python 3.8 and newer.
"""

import collections
import contextlib
import ctypes
import errno
import os

#: A mount as this process sees it (proc_pid_mountinfo(5)): its ``number``, the ``root`` of it that shows, its
#: ``place``, the file system's ``kind``, its ``source``, and the ``options`` of the mount and of the file system.
Mount = collections.namedtuple("Mount", "number root place kind source options")

NOSUID, NODEV, READ_ONLY = 0x2, 0x4, 0x1

#: Since these calls are new, all architectures but Alpha have the same numbers.
_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT, _MOUNT_SETATTR = 428, 429, 430, 431, 432, 442

_FLAG, _STRING, _CREATE = 0, 1, 6
_CLONE, _CLOSE = 1, 1
_HERE = 0x1000
_FROM_HERE, _TO_HERE = 0x4, 0x40
_IDMAP = 0x100000
_MS_PRIVATE_ALL = 0x40000 | 0x4000
_LAZY, _NOFOLLOW = 2, 8
NEW_MOUNTS, NEW_USERS = 0x20000, 0x10000000

_libc = ctypes.CDLL(None, use_errno=True)


def _call(number, *arguments):
    given = [
        value if isinstance(value, (bytes, ctypes.Array)) or value is None else ctypes.c_long(value)
        for value in arguments
    ]
    return _checked(_libc.syscall(ctypes.c_long(number), *given))


def _checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def make(kind, options, attributes):
    """Return a descriptor of a new mount that is nowhere yet.

    Args:
        kind: of the file system.
        options: pairs of a name and a value; a flag's is None.
        attributes: of the mount, some of ``NOSUID``, ``NODEV`` and ``READ_ONLY``.

    Raises:
        OSError: with the kernel's own words where it has any.
    """
    context = _call(_FSOPEN, kind.encode(), _CLOSE)
    try:
        for name, value in options:
            text = None if value is None else os.fsencode(value)
            _call(_FSCONFIG, context, _FLAG if value is None else _STRING, name.encode(), text, 0)
        _call(_FSCONFIG, context, _CREATE, None, None, 0)
        return _call(_FSMOUNT, context, _CLOSE, attributes)
    except OSError as error:
        said = _words(context)
        raise OSError(error.errno, said or error.strerror) from None
    finally:
        os.close(context)


def _words(context):
    """Return what the kernel says of a file system that it does not make (fsopen(2))."""
    words = []
    with contextlib.suppress(OSError):
        os.set_blocking(context, False)
        while True:
            words.append(os.read(context, 8192).decode(errors="replace").strip()[2:])
    return "; ".join(words)


def move(mount, directory):
    """Put a mount over a directory, both given by descriptors."""
    _call(_MOVE_MOUNT, mount, b"", directory, b"", _FROM_HERE | _TO_HERE)


def below(directory):
    """Return a descriptor of a directory without the mounts that are in it, and so of what they hide."""
    return _call(_OPEN_TREE, directory, b"", _CLONE | os.O_CLOEXEC | _HERE)


def owned_by(mount, uid, gid):
    """Return a descriptor of a mount where what is root's belongs to a user (mount_setattr(2), "ID-mapped mounts")."""
    clone = below(mount)
    users = _users(uid, gid)
    try:
        attributes = (ctypes.c_uint64 * 4)(_IDMAP, 0, 0, users)
        _call(_MOUNT_SETATTR, clone, b"", _HERE, attributes, ctypes.sizeof(attributes))
    except OSError:
        os.close(clone)
        raise
    finally:
        os.close(users)
    return clone


def _users(uid, gid):
    """Return a descriptor of a user namespace whose root is a user."""
    made, say_made = os.pipe()
    done, say_done = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(say_done)
        if _libc.unshare(NEW_USERS) == 0:
            os.write(say_made, b"x")
            os.read(done, 1)
        os._exit(0)
    try:
        os.close(say_made)
        if not os.read(made, 1):
            raise OSError(errno.EPERM, "the kernel makes no user namespace")
        for name, number in (("uid_map", uid), ("gid_map", gid)):
            with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
                file.write(f"0 {number} 1\n")
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for descriptor in (made, done, say_done):
            os.close(descriptor)
        os.waitpid(child, 0)


def unmount(around, name, *, lazy):
    """Take away the mount over a directory; ``lazy`` leaves programs what they have open.

    Args:
        around: a descriptor of the directory around that one: one of its own would use the mount.
        name: of the directory in that.
        lazy: as above.

    Raises:
        OSError: EBUSY where somebody uses it, and it is not to be lazy.
    """
    before = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        os.fchdir(around)
        _checked(_libc.umount2(os.fsencode(name), _NOFOLLOW | (_LAZY if lazy else 0)))
    finally:
        os.fchdir(before)
        os.close(before)


def alone(flags):
    """Give this process mounts of its own, which nobody else sees.

    Args:
        flags: ``NEW_MOUNTS``, with ``NEW_USERS`` for who is not root.
    """
    uid, gid = os.geteuid(), os.getegid()
    _checked(_libc.unshare(flags))
    if flags & NEW_USERS:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    _checked(_libc.mount(None, b"/", None, ctypes.c_ulong(_MS_PRIVATE_ALL), None))


def mounts(said=""):
    """Return every ``Mount`` that this process sees, in their order.

    Args:
        said: leaves out those whose line does not have it: there may be thousands.
    """
    found = []
    # A place may have any other character that ends lines elsewhere.
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file.read().rstrip("\n").split("\n"):
            if said not in line:
                continue
            first, last = line.split(" - ", 1)
            number, _, _, root, place, options = first.split(" ")[:6]
            kind, source, more = last.split(" ", 2)
            found.append(Mount(int(number), _plain(root), _plain(place), kind, _plain(source), f"{options},{more}"))
    return found


def mount_of(descriptor):
    """Return the ``Mount`` that an open file or directory is on; None where it is in no place that shows."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        number = next(int(line.split()[1]) for line in file if line.startswith("mnt_id:"))
    return next((mount for mount in mounts(f"{number} ") if mount.number == number), None)


def _plain(text):
    # Blanks, line ends and backslashes are three octal digits behind a backslash.
    first, *rest = text.split("\\")
    return first + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)
