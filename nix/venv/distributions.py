"""Which files of an environment of Python belong to which distribution: RECORD says it (PEP 376)."""

import os


class Distributions:
    """What is installed in an environment.

    Args:
        lower: the ``upper.Lower`` of its image.
    """

    def __init__(self, lower):
        self._lower = lower
        self._owners = None

    def owners(self, path):
        """Return the names of the distributions that have a file, or files below a directory."""
        if self._owners is None:
            self._owners = {}
            for directory in self._sites():
                for name in self._lower.entries(directory):
                    if name.endswith(".dist-info"):
                        self._read_record(directory, name)
        return self._owners.get(path, frozenset())

    @staticmethod
    def installed(upper):
        """Return the names of the distributions that are installed in an ``upper.Upper``."""
        found = set()
        for python in upper.names("lib"):
            site = f"lib/{python}/site-packages"
            for name in upper.names(site):
                if name.endswith(".dist-info") and upper.is_whole(f"{site}/{name}", "METADATA"):
                    found.add(distribution(name))
        return found

    @staticmethod
    def is_made(path):
        """Tell whether nobody changes a file but a program that makes it of others."""
        return path.endswith(".pyc")

    def _sites(self):
        return [f"lib/{name}/site-packages" for name in self._lower.entries("lib") if name.startswith("python")]

    def _read_record(self, site, name):
        record = self._lower.content(f"{site}/{name}/RECORD")
        if not record:
            return
        import csv

        owner = distribution(name)
        with open(self._lower.store + record, encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                path = os.path.normpath(os.path.join(site, row[0])) if row else ""
                while path and not path.startswith(".."):
                    self._owners.setdefault(path, set()).add(owner)
                    path = os.path.dirname(path)


def distribution(dist_info):
    """Return the normalized name (PEP 503) of the distribution of a ``.dist-info`` directory.

    >>> distribution("Ruamel_yaml-0.18.dist-info")
    'ruamel-yaml'
    """
    name = dist_info.rsplit("-", 2)[0].lower()
    return "-".join(filter(None, name.replace("_", "-").replace(".", "-").split("-")))
