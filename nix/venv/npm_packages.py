"""Which files of a ``node_modules`` belong to which package: that in whose directory they lie, at its top."""

#: npm's record of what it has installed, which an image of a ``node_modules`` has (nix/builders/npm_mounted.py).
RECORD = ".package-lock.json"


class Packages:
    """What is installed in a ``node_modules``.

    Args:
        lower: the ``upper.Lower`` of its image.
    """

    def __init__(self, lower):
        self._lower = lower

    def owners(self, path):
        """Return the name of the package that has a file or directory, in a set; none for what is nobody's."""
        name = _package(path)
        return frozenset([name]) if name and self._lower.has(path) else frozenset()

    @staticmethod
    def installed(upper):
        """Return the names of the packages that are installed in an ``upper.Upper``."""
        top = upper.names("")
        scoped = [f"{scope}/{name}" for scope in top if scope.startswith("@") for name in upper.names(scope)]
        return {name for name in (*top, *scoped) if _package(name) == name and upper.is_whole(name, "package.json")}

    @staticmethod
    def is_made(path):
        """Tell whether nobody changes a file but a program that makes it of others."""
        return path == RECORD


def _package(path):
    """Return the name of the package at the top that a path lies in; None where it lies in none."""
    parts = path.split("/")
    if parts[0].startswith("."):
        return None
    if not parts[0].startswith("@"):
        return parts[0]
    return "/".join(parts[:2]) if len(parts) > 1 else None
