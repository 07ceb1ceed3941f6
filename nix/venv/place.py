"""A directory that is mounted over, or is to be: by descriptors, and with its owner's rights."""

import contextlib
import errno
import fcntl
import os
import sys
import time

import mounts
import owner
from images import SOURCE
from refusal import Refusal

#: How long somebody else may be at work in a directory, in seconds.
_PATIENCE = 60

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_HEXADECIMAL = frozenset("0123456789abcdef")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place:
    """A DIR, by descriptors.

    Attributes:
        path: without links.
        descriptor: of what is below a mount of ours.
        uid, gid: whom it belongs to.
        mounted: names of the images that are mounted over it, the last one uppermost.
    """

    def __init__(self, path, descriptor, mounted, stack):
        self._again = []
        stack.callback(lambda: [os.close(again) for again in self._again])
        self.path = path
        self.descriptor = descriptor
        self.mounted = mounted
        status = os.fstat(descriptor)
        self.uid, self.gid = status.st_uid, status.st_gid

    def detach(self, lazy):
        """Take away all of ours that is mounted over it.

        Raises:
            Refusal: somebody uses it, and it is not to be lazy.
        """
        while self.mounted:
            if not _is_ours(self.path):
                break
            around = reach(os.path.dirname(self.path))
            try:
                mounts.unmount(around, os.path.basename(self.path), lazy=lazy)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                holders = ", ".join(_holders(self.path)) or "somebody"
                raise Refusal(
                    7,
                    f"in use by {holders}",
                    self.path,
                    "end that; or let it keep what it has open, and nothing else: --lazy",
                ) from None
            finally:
                os.close(around)
            self.mounted.pop()
        self._reach_again()

    def _reach_again(self):
        """Reach DIR as it shows now: on what was below a mount, which is nowhere, the kernel mounts nothing."""
        after = reach(self.path)
        if os.path.samestat(os.fstat(after), os.fstat(self.descriptor)):
            self._again.append(after)
            self.descriptor = after
            return
        os.close(after)
        raise Refusal(3, "it is another directory now", self.path, "run this again")

    def remove(self):
        """Remove DIR, unless there is something in it, with its owner's rights."""
        around = reach(os.path.dirname(self.path))
        try:
            with owner.rights_of(self.uid, self.gid), contextlib.suppress(OSError):
                os.rmdir(os.path.basename(self.path), dir_fd=around)
        finally:
            os.close(around)

    def names(self):
        """Return what is in DIR itself."""
        return os.listdir(self.descriptor)

    def identity(self):
        """Return the name of its record; None where it has none."""
        return identity_in(self.descriptor)

    def form(self):
        """Return its form, as it says; None where it is none of nixgen's."""
        text = owner.read(self.descriptor, ".nixgen/state") or b""
        return _said(text, b"form ") if text.startswith(b"nixgen-venv 1\n") else None

    @contextlib.contextmanager
    def inside(self, path):
        """Give a descriptor of a directory in it, which is made where it is not."""
        here = os.dup(self.descriptor)
        try:
            for part in path.split("/"):
                with contextlib.suppress(FileExistsError), owner.rights_of(self.uid, self.gid):
                    os.mkdir(part, 0o755, dir_fd=here)
                try:
                    after = os.open(part, _DIRECTORY, dir_fd=here)
                except OSError as error:
                    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                        raise
                    raise Refusal(
                        3, f"{part} in it is no directory", f"{self.path}/{path}", "remove that, and run this again"
                    ) from None
                os.close(here)
                here = after
                if os.fstat(here).st_uid not in (self.uid, 0):
                    raise Refusal(
                        3, "a directory in it belongs to somebody else", f"{self.path}/{path}", "give it back"
                    )
            yield here
        finally:
            os.close(here)

    def write_new(self, here, name, text):
        """Write a file into a directory of it that nothing is in the way of; one that is there is the user's."""
        with contextlib.suppress(FileExistsError), owner.rights_of(self.uid, self.gid):
            made = os.open(name, _NEW, 0o644, dir_fd=here)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                file.write(text)

    def write(self, directory, name, text):
        """Write a file of it, by rename."""
        with self.inside(directory) as here, owner.rights_of(self.uid, self.gid):
            new = f"new-{os.urandom(16).hex()}"
            with os.fdopen(
                os.open(new, _NEW, 0o644, dir_fd=here), "w", encoding="utf-8", errors="surrogateescape"
            ) as file:
                file.write(text)
            os.rename(new, name, src_dir_fd=here, dst_dir_fd=here)


def reach(path):
    """Return a descriptor of a directory, reached without a link of another user.

    Raises:
        Refusal: there is none.
    """
    reached = owner.reach(path)
    if reached.descriptor is None:
        raise Refusal(3, "there is no such directory", path, f"make it: nixgen venv --mounted {path}")
    return reached.descriptor


def identity_in(directory):
    """Return the name of the record that a directory, by its descriptor, says is its own; None where it says none."""
    found = _said(owner.read(directory, ".nixgen/state") or b"", b"id ")
    return found if found is not None and len(found) == 32 and _HEXADECIMAL.issuperset(found) else None


def _said(text, key):
    """Return what the first line that starts with a key says, where it is a word of ASCII; None for none."""
    found = next((line[len(key) :] for line in text.split(b"\n") if line.startswith(key)), b"")
    return found.decode() if found.isalnum() else None


def _ours(descriptor):
    """Return the name of the image that a directory is the root of; None where it is none of ours."""
    # What is mounted has a device of its own; the table of mounts takes milliseconds where there are thousands.
    if os.fstat(descriptor).st_dev == os.stat("..", dir_fd=descriptor).st_dev:
        return None
    mount = mounts.mount_of(descriptor)
    if mount is None or mount.kind != "overlay" or not mount.source.startswith(SOURCE):
        return None
    return mount.source[len(SOURCE) :] if mount.place == _path(descriptor) else None


def _is_ours(path):
    here = reach(path)
    try:
        return _ours(here) is not None
    finally:
        os.close(here)


def _path(descriptor):
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _holders(path):
    """Return the processes that have something open below a mount, as users know them."""
    device = os.stat(path).st_dev
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            links = [f"/proc/{number}/{name}" for name in ("cwd", "root", "exe")]
            links += [f"/proc/{number}/fd/{name}" for name in os.listdir(f"/proc/{number}/fd")]
            if int(number) != os.getpid() and any(_device(link) == device for link in links):
                with open(f"/proc/{number}/comm", encoding="utf-8", errors="replace") as file:
                    found.append(f"{file.read().strip()} ({number})")
    return found


def _device(link):
    try:
        return os.stat(link).st_dev
    except OSError:
        return None


@contextlib.contextmanager
def opened(path, make=False):
    """Give the ``Place`` of a path, with nobody else at work in it.

    Args:
        path: of DIR.
        make: whether to make it where it is not.

    Raises:
        Refusal: there is none; somebody else is at work in it for long.
    """
    with contextlib.ExitStack() as stack:
        while True:
            with contextlib.ExitStack() as attempt:
                place = _open(path, make, attempt)
                _lock(place.descriptor, place.path)
                # Somebody may have mounted it, or taken that away, until the lock was had.
                if _is_ours(place.path) == bool(place.mounted):
                    stack.push(attempt.pop_all())
                    break
        yield place


def _open(path, make, stack):
    reached = owner.reach(path)
    if reached.descriptor is None and make:
        _make(path, reached.uid)
        reached = owner.reach(path)
    if reached.descriptor is None:
        raise Refusal(3, "there is no such directory", path, f"make it: nixgen venv --mounted {path}")
    descriptor, mounted, path = reached.descriptor, [], _path(reached.descriptor)
    if _ours(descriptor) is not None:
        mounted = [mount.source[len(SOURCE) :] for mount in mounts.mounts(SOURCE) if mount.place == path]
    if mounted and os.geteuid() == 0:  # others may only look, and the layer shows them what DIR says of itself
        os.close(descriptor)  # it would be one that uses the mount
        around = reach(os.path.dirname(path))
        stack.callback(os.close, around)
        hidden = mounts.below(around)
        stack.callback(os.close, hidden)
        descriptor = os.open(os.path.basename(path), _DIRECTORY, dir_fd=hidden)
    stack.callback(os.close, descriptor)
    return Place(path, descriptor, mounted, stack)


def _make(path, uid):
    """Make a directory with the rights of whom the way to it belongs to."""
    if uid == os.geteuid():
        with contextlib.suppress(FileExistsError):
            os.makedirs(path, mode=0o755)
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            start = os.getcwd()
            owner.become(uid)
            path = os.path.join(start, path)
            os.makedirs(path, mode=0o755, exist_ok=True)
            code = 0
        except OSError as error:
            print(f"nixgen-venv: cannot make the directory: {error.strerror}\n  where: {path}", file=sys.stderr)
        finally:
            os._exit(code)
    os.waitpid(child, 0)


def _lock(descriptor, path):
    """Wait until nobody else is at work: a lock that ends with its process."""
    for _ in range(_PATIENCE * 10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.1)
    raise Refusal(
        3, f"somebody has been at work in it for {_PATIENCE} seconds", path, "see who has it open: fuser -v DIR"
    )
