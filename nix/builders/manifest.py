"""What a tree says of itself, for environments and for those who ask what is in it."""

import os

import plain_json

#: Where a tree keeps it; outside of what environments merge.
PATH = "nix-support/nixgen.json"


class Manifest:
    """What one tree says of itself; paths are relative to the tree.

    Attributes:
        distribution, version: of its wheel.
        index: store path of its wheel's index: named here, it is kept as long as the tree.
        copies: the reasons of each copy (``placement.REASONS``), by its path.
        programs: paths of the links to programs that have store paths of their own.
        launchers: paths of the commands that run the Python beside them.
        looking: paths of its modules and other libraries that look for more beside them (``plugins.of_wheel``).
        inspects: whether it has a program that looks into the libraries of others by their resolved paths.
        scaffolds: paths of templates of projects, where it copies files with their modes.
        descend: directories that have to be real in an environment too.
        needed, provides: SONAMEs, as ``libraries.of_wheel`` gives them.
    """

    __slots__ = (
        "copies",
        "descend",
        "distribution",
        "index",
        "inspects",
        "launchers",
        "looking",
        "needed",
        "programs",
        "provides",
        "scaffolds",
        "version",
    )

    def __init__(
        self,
        *,
        distribution,
        version,
        index,
        copies,
        programs,
        launchers,
        looking,
        inspects,
        scaffolds,
        descend,
        needed,
        provides,
    ):
        self.distribution = distribution
        self.version = version
        self.index = index
        self.copies = copies
        self.programs = programs
        self.launchers = launchers
        self.looking = looking
        self.inspects = inspects
        self.scaffolds = scaffolds
        self.descend = descend
        self.needed = needed
        self.provides = provides

    @classmethod
    def read(cls, tree):
        """Read what a tree says."""
        with open(os.path.join(tree, PATH), encoding="utf-8") as file:
            return cls(**plain_json.loads(file.read()))

    def write(self, tree):
        """Write it into a tree that has none."""
        import json

        path = os.path.join(tree, PATH)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            json.dump({name: getattr(self, name) for name in self.__slots__}, file, indent=1, sort_keys=True)
