"""Let copies of the store's files be written; nixgen wrote this into the environment.

A file of the store is read-only, and who copies a file copies its mode: a project that a package makes from its
templates could not be edited. Here ``shutil`` gives the copy's owner the right to write, as the file would have it that
an installer had left.
"""

import sys


class WritableFinder:
    """A finder that finds nothing but ``shutil``, which it makes copy the modes of the store's files as said above.

    Args:
        store: the store's directory.
    """

    def __init__(self, store):
        self._store = store

    def find_spec(self, name, path=None, target=None):
        """Return the spec of ``shutil``, as the finders that follow give it."""
        if name != "shutil":
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = _Loader(spec.loader, self._store)
                return spec
        return None


class _Loader:
    """The loader of ``shutil``, and what is done once it is loaded."""

    def __init__(self, loader, store):
        self._loader = loader
        self._store = store

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        change(module, self._store)


def change(shutil, store):
    """Have ``shutil`` give the owner of a copy the right to write, where the original is of the store."""
    import functools
    import os
    import stat

    def changed(function):
        @functools.wraps(function)
        def copy_mode(src, dst, *, follow_symlinks=True):
            function(src, dst, follow_symlinks=follow_symlinks)
            try:
                mode = os.lstat(dst).st_mode
                of_store = os.fsdecode(os.path.realpath(src)).startswith(store + "/")
                if of_store and not stat.S_ISLNK(mode) and not mode & stat.S_IWUSR:
                    os.chmod(dst, stat.S_IMODE(mode) | stat.S_IWUSR)
            except (OSError, TypeError, ValueError):
                pass  # what is no path, or not ours to change

        return copy_mode

    shutil.copymode = changed(shutil.copymode)
    shutil.copystat = changed(shutil.copystat)


def install(store):
    """Change ``shutil`` once it is imported, or now where it is.

    Args:
        store: the store's directory.
    """
    if "shutil" in sys.modules:
        change(sys.modules["shutil"], store)
    else:
        sys.meta_path.insert(0, WritableFinder(store))
