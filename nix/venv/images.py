"""Images of environments: whether they can be mounted here, and their names, mounted once on a machine."""

import contextlib
import errno
import fcntl
import os
import sys

import mounts
from refusal import Refusal

#: What an image's store path holds; nix/builders/shown.py writes it.
IMAGE, ENVIRONMENT = "image.erofs", "environment"

#: Where they are mounted.
IMAGES = os.path.join(os.environ.get("NIXGEN_RUN_DIR") or "/run/nixgen", "mounted")

#: What an overlay of ours is called in the table of mounts, before the name of its image.
SOURCE = "nixgen:"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Of Nix's hashes in store paths.
_BASE32 = frozenset("0123456789abcdfghijklmnpqrsvwxyz")


def missing(user=False):
    """Return in a sentence why nothing can be mounted here; None where it can.

    Args:
        user: whether it is to be in a namespace of the caller's own, which needs no root.
    """
    if sys.platform != "linux":
        return f"mounting takes Linux, and this is {os.uname().sysname}"
    release = os.uname().release
    kernel = tuple(int("0" + part[: len(part) - len(part.lstrip("0123456789"))]) for part in release.split(".")[:2])
    needed = (6, 16) if user else (6, 5)
    if kernel < needed:
        alone = " without root" if user else ""
        return "mounting{} takes Linux {}.{} or newer, and this is {}".format(alone, *needed, release)
    if not user and os.geteuid() != 0:
        return "mounting takes root"
    for kind in ("overlay",) if user else ("erofs", "overlay"):
        if not _has_file_system(kind):
            return f"this kernel has no {kind} (modprobe {kind})"
    return None


def _has_file_system(kind):
    for again in (False, True):
        with open("/proc/filesystems", encoding="ascii") as file:
            if any(line.split()[-1] == kind for line in file):
                return True
        if not again:
            import subprocess

            with contextlib.suppress(OSError):
                subprocess.run(["modprobe", "-q", kind], check=False, stderr=subprocess.DEVNULL)
    return False


def demand(directory):
    """See that a directory can be mounted over.

    Raises:
        Refusal: with what is missing.
    """
    said = missing()
    if said is not None:
        raise Refusal(7, said, directory, "take another form: nixgen venv without --mounted; or nixgen run --mounted")


def valid_image(path):
    """Return the store path of an image, which it must be: whole, and as the store's owner left it.

    Raises:
        Refusal: it is something else, or not in the store any more.
    """
    found = path.rstrip("/") if path else ""
    store = os.path.dirname(found)
    try:
        if not _is_store_path(found) or os.path.islink(found):
            raise OSError
        for name in (found, os.path.join(found, IMAGE)):
            if os.lstat(name).st_uid != os.lstat(store).st_uid:
                raise OSError
        environment = os.readlink(os.path.join(found, ENVIRONMENT))
        if os.path.dirname(environment) != store or not os.path.isdir(environment):
            raise OSError
    except OSError:
        raise Refusal(
            3,
            "this is no image of an environment, or not in the store any more",
            path,
            "build it: nixgen build --mounted",
        ) from None
    return found


def _is_store_path(path):
    directory, name = os.path.split(path)
    return os.path.isabs(directory) and name[32:33] == "-" and len(name) > 33 and _BASE32.issuperset(name[:32])


def environment_of(image):
    """Return the store path of the environment that an image shows."""
    return os.readlink(os.path.join(image, ENVIRONMENT))


def show(image, uid=0, gid=0):
    """Have the names of an image mounted, as a user's files, and return where; others find them there too.

    Only while they are ``held``, and until something shows them, nobody takes them away.
    """
    place = _show(os.path.basename(image), lambda: names_of(image))
    if uid == 0:
        return place
    return _show(f"{os.path.basename(image)}-{uid}-{gid}", lambda: _owned(place, uid, gid))


def _show(name, make):
    """Put what ``make`` gives to its place among the images, where it is not yet."""
    place = os.path.join(IMAGES, name)
    os.makedirs(place, mode=0o755, exist_ok=True)
    if not os.path.ismount(place):
        here, made = os.open(place, _DIRECTORY), make()
        mounts.move(made, here)
        os.close(made)
        os.close(here)
    return place


def _owned(place, uid, gid):
    whole = os.open(place, _DIRECTORY)
    try:
        return mounts.owned_by(whole, uid, gid)
    finally:
        os.close(whole)


def names_of(image):
    """Return a descriptor of a mount of the names of an image, which is nowhere yet."""
    file = os.path.join(image, IMAGE)
    attributes = mounts.READ_ONLY | mounts.NOSUID | mounts.NODEV
    try:
        return mounts.make("erofs", [("ro", None), ("source", file)], attributes)
    except OSError as error:
        if error.errno != errno.ENOTBLK:  # Linux 6.12 mounts files, older ones devices
            raise
    import subprocess

    done = subprocess.run(
        ["losetup", "--find", "--show", "--read-only", file], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise OSError(errno.EIO, f"losetup: {done.stderr.strip()}")
    device = done.stdout.strip()
    try:
        return mounts.make("erofs", [("ro", None), ("source", device)], attributes)
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)  # once nothing is mounted of it


def sweep():
    """Take away the names of images that no environment here shows."""
    with held():
        used = {mount.source[len(SOURCE) :] for mount in mounts.mounts(SOURCE) if mount.source.startswith(SOURCE)}
        for name in sorted(os.listdir(IMAGES), reverse=True):
            # With or without the user and group whose files it shows.
            if name == ".lock" or name.rpartition("-mounted")[0] + "-mounted" in used:
                continue
            place = os.path.join(IMAGES, name)
            with contextlib.suppress(OSError):
                around = os.open(IMAGES, _DIRECTORY)
                try:
                    while os.path.ismount(place):
                        mounts.unmount(around, name, lazy=True)
                finally:
                    os.close(around)
                os.rmdir(place)


@contextlib.contextmanager
def held():
    """Have nobody else mount or take away names meanwhile."""
    os.makedirs(IMAGES, mode=0o700, exist_ok=True)  # names without content: nobody is to take them for files
    file = os.open(os.path.join(IMAGES, ".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
