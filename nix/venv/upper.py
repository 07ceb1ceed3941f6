"""What is changed in a mounted environment: the upper layer, and what becomes of it under another environment.

overlayfs keeps changes by path (the kernel's Documentation/filesystems/overlayfs.rst): whole files; a character device
of the number 0:0 where something was removed; and attributes, "opaque" of a directory of which nothing below counts,
and "metacopy" of a file of which only mode and time were changed. Under another environment, what a user has installed
has to win as a package and not file by file, and what was changed of a file that is another one now belongs to nothing.

Everything here works by descriptors and follows no link: the layer is its owner's, who may change it meanwhile.
"""

import contextlib
import os
import stat

import owner
from distributions import Distributions
from npm_packages import Packages

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPAQUE, _METACOPY, _REDIRECT = (f"trusted.overlay.{name}" for name in ("opaque", "metacopy", "redirect"))

#: nixgen's own in the layer.
OWN = ".nixgen"


class Lower:
    """The files of an environment's image, as the kernel shows them.

    Args:
        names: a directory where the image is mounted.
        store: where their content is.
    """

    def __init__(self, names, store):
        self._names = names
        self.store = store
        #: Which file is whose.
        self.packages = Distributions(self) if self.has("pyvenv.cfg") else Packages(self)

    def content(self, path):
        """Return a file's content as its path in the store, "" where it is empty; None where there is no file."""
        whole = os.path.join(self._names, path)
        try:
            if not stat.S_ISREG(os.lstat(whole).st_mode):
                return None
            return os.getxattr(whole, _REDIRECT, follow_symlinks=False).decode()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            return None
        except OSError:  # no such attribute
            return ""

    def has(self, path):
        """Tell whether there is anything at a path."""
        return os.path.lexists(os.path.join(self._names, path))

    def entries(self, path):
        """Return the names in a directory; none where it is no directory."""
        whole = os.path.join(self._names, path)
        return sorted(os.listdir(whole)) if os.path.isdir(whole) and not os.path.islink(whole) else []


class Upper:
    """The upper layer of one environment.

    Args:
        descriptor: of the layer.
        uid: whom it belongs to. What another user has there is left alone, where that is not root's.
        gid: the owner's group.
    """

    def __init__(self, descriptor, uid, gid):
        self._root = descriptor
        self._uid, self._gid = uid, gid
        #: What was put back, by the names of packages, and which changed files were put aside.
        self.restored = set()
        self.kept = []

    def fit(self, old, new, aside):
        """Make the layer one for another environment.

        Args:
            old: ``Lower`` of the environment that it was for; None for none.
            new: that of the other.
            aside: directory in the layer for changed files of which there is another one now.
        """
        mine = new.packages.installed(self)
        self._drop(self._root, "", mine, old, new, aside)
        if mine:
            self._hide("", mine, new)

    def is_whole(self, directory, name):
        """Tell whether a directory of the layer has a file of that name, with its content."""
        with self._opened(directory) as here:
            return here is not None and _kind(here, name) == "file" and not _has(here, name, _METACOPY)

    def names(self, directory):
        """Return the names in a directory of the layer; none where there is none."""
        with self._opened(directory) as here:
            return [] if here is None else sorted(os.listdir(here))

    def changed(self):
        """Return the names at the top that are more than removals, without those that programs keep there."""
        return [name for name in self.names("") if not name.startswith(".") and self._has_content("", name)]

    def _has_content(self, directory, name):
        with self._opened(directory) as here:
            kind = None if here is None else _kind(here, name)
            if kind != "directory":
                return kind == "other" or (kind == "file" and not _has(here, name, _METACOPY))
        path = os.path.join(directory, name)
        return any(self._has_content(path, inside) for inside in self.names(path))

    @contextlib.contextmanager
    def _opened(self, path, make=False):
        """Give a descriptor of a directory of the layer, None where there is none of its owner's."""
        here = os.dup(self._root)
        try:
            for part in filter(None, path.split("/")):
                if make:
                    self._make(here, part)
                try:
                    after = os.open(part, _DIRECTORY, dir_fd=here)
                except OSError:
                    yield None
                    return
                os.close(here)
                here = after
            yield here if os.fstat(here).st_uid in (self._uid, os.geteuid() if self._uid == 0 else self._uid) else None
        finally:
            os.close(here)

    def _make(self, here, name):
        with contextlib.suppress(FileExistsError), owner.rights_of(self._uid, self._gid):
            os.mkdir(name, 0o755, dir_fd=here)

    def _drop(self, here, prefix, mine, old, new, aside):
        """Take away what hides or changes files of the old environment, where it is not to do so in the new."""
        for name in os.listdir(here):
            path = f"{prefix}{name}"
            if path == OWN:
                continue
            kind = _kind(here, name)
            if kind == "gone":
                others = new.packages.owners(path) - mine
                if not new.has(path) or others or not new.packages.owners(path):
                    os.unlink(name, dir_fd=here)
                    self.restored.update(others)
            elif kind == "directory":
                with self._opened(path) as inside:
                    if inside is None:
                        continue
                    if _has(here, name, _OPAQUE) and (others := new.packages.owners(path) - mine):
                        os.removexattr(f"/proc/self/fd/{inside}", _OPAQUE)
                        self.restored.update(others)
                    self._drop(inside, path + "/", mine, old, new, aside)
            elif kind == "file":
                self._judge_file(here, name, path, mine, old, new, aside)

    def _judge_file(self, here, name, path, mine, old, new, aside):
        metadata_only = _has(here, name, _METACOPY)
        before = old.content(path) if old is not None else None
        if before is None and not metadata_only:
            return  # the user's own
        if old is not None and old.packages.owners(path) & mine:
            return  # of a package that is the user's own
        now = new.content(path)
        if before is not None and before == now:
            return
        if metadata_only or new.packages.is_made(path):
            os.unlink(name, dir_fd=here)
            return
        with self._opened(os.path.dirname(f"{aside}/{path}"), make=True) as there:
            if there is not None:
                os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)
                self.kept.append(path)

    def _hide(self, path, mine, new):
        """Hide what the user's own packages stand in the place of."""
        for name in new.entries(path):
            inside = f"{path}/{name}" if path else name
            owners = new.packages.owners(inside)
            if not owners & mine:
                continue
            with self._opened(path, make=True) as here:
                if here is None:
                    continue
                kind = _kind(here, name)
                if owners - mine:
                    if kind in ("directory", None):
                        self._hide(inside, mine, new)
                elif not self._is_whole_of(inside, mine, new):
                    self._hide(inside, mine, new)
                elif kind is None:
                    os.mknod(name, stat.S_IFCHR, 0, dir_fd=here)
                elif kind == "directory":
                    with self._opened(inside) as below:
                        if below is not None:
                            os.setxattr(f"/proc/self/fd/{below}", _OPAQUE, b"y")

    def _is_whole_of(self, path, mine, new):
        """Tell whether all that is below a path is of some distributions, and nothing is the environment's own."""
        names = new.entries(path)
        if not names:
            owners = new.packages.owners(path)
            return bool(owners) and owners <= mine
        return all(self._is_whole_of(f"{path}/{name}", mine, new) for name in names)


def _kind(here, name):
    """Return what a name in a directory of the layer is: "file", "directory", "gone", "other"; None where it is not."""
    try:
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISREG(status.st_mode):
        return "file"
    if stat.S_ISDIR(status.st_mode):
        return "directory"
    return "gone" if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0 else "other"


def _has(here, name, attribute):
    try:
        os.getxattr(f"/proc/self/fd/{here}/{name}", attribute, follow_symlinks=False)
    except OSError:
        return False
    return True


def remove(here, name):
    """Remove a file, or a directory with all that is in it, following no link."""
    try:
        inside = os.open(name, _DIRECTORY, dir_fd=here)
    except NotADirectoryError:
        os.unlink(name, dir_fd=here)
        return
    except OSError as error:
        if not os.path.lexists(f"/proc/self/fd/{here}/{name}"):
            return
        if stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
            raise error
        os.unlink(name, dir_fd=here)
        return
    try:
        for entry in os.listdir(inside):
            remove(inside, entry)
    finally:
        os.close(inside)
    os.rmdir(name, dir_fd=here)
