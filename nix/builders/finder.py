"""Load shared libraries before the first import that needs them; nixgen wrote this into the environment.

A library that is loaded satisfies every later need of its SONAME, wherever it lies: no search path, no environment
variable, no child process is concerned.
"""

import sys
from _thread import RLock


class LibraryFinder:
    """A finder that finds nothing: it loads libraries when one of ``names`` is first looked for.

    Then it has nothing to do, and stays: who takes an entry out of ``sys.meta_path`` makes another thread that is going
    through it miss one.

    Args:
        names: of top-level modules and packages.
        libraries: paths, each after those that it needs.
    """

    def __init__(self, names, libraries):
        self._names = frozenset(names)
        self._libraries = libraries
        self._lock = RLock()

    def find_spec(self, name, path=None, target=None):
        """Load the libraries where ``name`` needs them, and leave the search to the finders that follow."""
        # Submodules count: a finder before this one may have found the package.
        if self._names and name.partition(".")[0] in self._names:
            self._load()
        return None

    def _load(self):
        # Another thread waits here until the libraries are there.
        with self._lock:
            libraries, self._libraries = self._libraries, ()
            for library in libraries:
                try:
                    from ctypes import CDLL

                    # Its symbols stay local: those that need it name it.
                    CDLL(library)
                except (ImportError, OSError) as error:
                    from warnings import warn

                    warn(f"nixgen cannot load {library}: {error}", RuntimeWarning, stacklevel=2)
            self._names = frozenset()


def install(names, libraries):
    """Load ``libraries`` before the first import of one of ``names``.

    Args:
        names: of top-level modules and packages.
        libraries: paths, each after those that it needs.
    """
    sys.meta_path.insert(0, LibraryFinder(names, libraries))
