"""Whose rights the work in a directory is done with: for root, those of the user whom it belongs to.

``python -I -S owner.py DIR ENV PROGRAM ARGUMENT...``, by bin/nixgen-venv as root, where a look does not tell that all
on the way to DIR is root's. Runs ``PROGRAM ARGUMENT...`` in DIR, with ``--here`` before the arguments, where DIR turns
out to be root's; else as the user, on ``DIR``. nixgen takes the same functions. Standard library only, Python 3.8 and
newer.
"""

import contextlib
import os
import pwd
import stat
import sys
from collections import namedtuple

#: ``descriptor`` of the directory (None where it is not reached, or not there), and ``uid`` of whom it belongs to.
Reached = namedtuple("Reached", "descriptor uid")

#: What a user gets to see of root's variables, beside LC_*: others may hold secrets, or lead to root's files.
_VARIABLES = {
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "NO_COLOR",
    "VIRTUAL_ENV",
    "NIX_REMOTE",
    "NIX_STORE_DIR",
    "NIX_STATE_DIR",
}

#: Says to the program that its links in .nixgen/roots are registered by who started it.
REGISTERED = "NIXGEN_ROOTS_ARE_REGISTERED"

#: How long root waits for what a user can make as slow as he likes.
SECONDS = 600

_LINKS = 40
_STATE = "/nix/var/nix"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def main(directory, env, program, *arguments):
    """Do what the command line says; see the module."""
    reached = reach(directory)
    if reached.uid == os.geteuid():
        if reached.descriptor is not None:
            os.fchdir(reached.descriptor)
            arguments = ("--here", *arguments)
        else:
            arguments = ("--mine", *arguments, directory)
        os.execv(program, [program, *arguments])
    if reached.descriptor is not None and b"\nform mounted\n" in (read(reached.descriptor, ".nixgen/state") or b""):
        # What is mounted is root's affair: mounted.py believes nothing that is said there.
        os.execv(program, [program, "--known", *arguments, directory])
    child = os.fork()
    if child == 0:
        try:
            become(reached.uid)
            os.execve(program, [program, *arguments, directory], variables(reached.uid))
        except OSError as error:
            print(
                f"nixgen-venv: cannot run as user {reached.uid}: {error.strerror}\n  where: {directory}",
                file=sys.stderr,
            )
        finally:
            os._exit(3)
    import signal

    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        status = os.waitpid(child, 0)[1]
    except (KeyboardInterrupt, TimeoutError):
        os.killpg(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    if status == 0 and not {"--check", "--dry-run"}.intersection(arguments):
        register(os.path.join(directory, ".nixgen", "roots", os.path.basename(env)))
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _too_long(_number, _frame):
    raise TimeoutError


def reach(path):
    """Go to a directory, following no link that another user could have put on the way.

    A directory belongs to whom it is owned by; one that a link of another user leads to, to that user; one that is not
    there, to the last other user whom a directory on the way belongs to.

    Args:
        path: of the directory; absolute, or below the current one.

    Returns:
        ``Reached``; for who is not root, the caller.
    """
    me = os.geteuid()
    if me != 0:  # only root can do anything with another user's rights
        try:
            return Reached(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), me)
        except OSError:
            return Reached(None, me)
    pending = [*reversed(os.path.join(os.getcwd(), path).split("/"))]
    here, other, links = os.open("/", _DIRECTORY), me, 0
    while pending:
        name = pending.pop()
        if name in ("", "."):
            continue
        around = os.fstat(here).st_uid
        other = around if around != me else other
        try:
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
        except OSError:
            return _nowhere(here, other)
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if status.st_uid != me or around != me or links > _LINKS:
                # Whoever owns a directory may have moved another one's link there.
                return _nowhere(here, status.st_uid if status.st_uid != me else around)
            target = os.readlink(name, dir_fd=here)
            pending.extend(reversed(target.split("/")))
            name = "/" if target.startswith("/") else "."
        elif not stat.S_ISDIR(status.st_mode):
            return _nowhere(here, status.st_uid if status.st_uid != me else other)
        try:
            after = os.open(name, _DIRECTORY, dir_fd=here)
        except OSError:  # swapped meanwhile, or not to be entered
            return _nowhere(here, status.st_uid if status.st_uid != me else other)
        os.close(here)
        here = after
    return Reached(here, os.fstat(here).st_uid)


def _nowhere(here, uid):
    os.close(here)
    return Reached(None, uid)


@contextlib.contextmanager
def rights_of(uid, gid):
    """Make what is made meanwhile with a user's rights, and as his: what root makes and then gives away may be another
    thing by then. The user can do nothing to this process, whose real user stays root.

    Args:
        uid, gid: the user's; nothing is done for the caller himself.
    """
    if uid == os.geteuid():
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def become(uid):
    """Take a user's rights, and no other, for good; in a session of its own, where no terminal takes what it types."""
    gid = group(uid)
    os.setsid()
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.umask(0o022)
    os.chdir("/")


def done_in(path, work):
    """Do some work in a directory with the rights of whom it belongs to, and return what it gives.

    Args:
        path: of the directory.
        work: given a descriptor of it, returns what JSON can say; where another user's rights are taken, in a process
            of its own.

    Raises:
        FileNotFoundError: there is no such directory.
        PermissionError: that user's rights cannot be taken, or do not do for it; the argument is the user's number.
    """
    reached = reach(path)
    if reached.descriptor is None and reached.uid == os.geteuid():
        raise FileNotFoundError(path)
    try:
        if reached.uid == os.geteuid():
            return work(reached.descriptor)
        return _as_user(reached.uid, os.path.join(os.getcwd(), path), work)
    finally:
        if reached.descriptor is not None:
            os.close(reached.descriptor)


def _as_user(uid, path, work):
    import json
    import signal

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(SECONDS)  # files may be as slow as their owner likes
            os.close(reading)
            become(uid)
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(directory), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    try:
        return json.loads(text)
    except ValueError:
        raise PermissionError(uid) from None


def group(uid):
    """Return a user's own group. A directory's does not tell: it may come from the directory around."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid if uid >= 1000 else 65534


def variables(uid):
    """Return the variables for a user's process."""
    try:
        home = pwd.getpwuid(uid).pw_dir
    except KeyError:
        home = "/"
    kept = {name: value for name, value in os.environ.items() if name in _VARIABLES or name.startswith("LC_")}
    return {**kept, "HOME": home, REGISTERED: "1"}


def read(directory, name, limit=1 << 20):
    """Return what a small file below a directory holds, following no link; None where there is none, or another thing.

    Args:
        directory: a descriptor.
        name: its path below the directory.
        limit: of its size, in bytes.
    """
    *parents, last = name.split("/")
    here = os.dup(directory)
    try:
        for parent in parents:
            after = os.open(parent, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = after
        file = os.open(last, _FILE, dir_fd=here)
    except OSError:
        return None
    finally:
        os.close(here)
    with os.fdopen(file, "rb") as opened:
        status = os.fstat(file)
        # Another name of somebody else's file is not of this directory.
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.fstat(directory).st_uid or status.st_size > limit:
            return None
        return opened.read(limit)


def register(link):
    """Have Nix know a link as an indirect root, as ``nix-store --add-root LINK --indirect``, but for the link itself.

    That is made with its owner's rights; Nix's own link to it is not. Nix takes away what leads nowhere.
    """
    try:
        link = os.path.join(os.path.realpath(os.path.dirname(link)), os.path.basename(link))
    except OSError:
        return  # its owner has put something else in the place of a link meanwhile
    roots = os.path.join(os.environ.get("NIX_STATE_DIR") or _STATE, "gcroots", "auto")
    import hashlib

    name = _base32(hashlib.sha1(link.encode("utf-8", "surrogateescape")).digest())
    try:
        os.symlink(link, os.path.join(roots, name))
    except OSError:
        pass  # it is there, or there is no Nix


def _base32(digest):
    number = int.from_bytes(digest, "little")
    return "".join(
        "0123456789abcdfghijklmnpqrsvwxyz"[number >> 5 * place & 31]
        for place in reversed(range((len(digest) * 8 + 4) // 5))
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
