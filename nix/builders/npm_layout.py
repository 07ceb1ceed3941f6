"""Where npm puts things in a project: top-level packages of each directory, and links to their commands."""

import os


def directories(packages):
    """Return the top-level packages of each directory of a project that has a ``node_modules``.

    Args:
        packages: each with its place ``at``.

    Returns:
        a dict from directories ("" is the project's own, "packages/a" a workspace's) to dicts from names to packages.
        What lies outside of the project is left out.
    """
    found = {}
    for package in packages:
        around, _, name = package["at"].partition("node_modules/")
        if "/node_modules/" not in name and not around.startswith("../"):
            found.setdefault(around.rstrip("/"), {})[name] = package
    return found


def commands(packages):
    """Return what the links in ``.bin`` lead to, by their names, for the packages of one ``node_modules``.

    Of two with one name, that of the package whose place comes first is linked to, as in npm (arborist,
    ``lib/reify.js``; bin-links, ``lib/link-gently.js``); a file that is not there is none.

    Args:
        packages: a dict from names to packages, whose ``bin`` are pairs of a name and a path.
    """
    found = {}
    for name, package in sorted(packages.items()):
        for command, path in package.get("bin", ()):
            if "path" not in package or os.path.isfile(os.path.join(package["path"], path)):
                found.setdefault(command, os.path.normpath(f"../{name}/{path}"))
    return found


def way_to(target, place):
    """Return the relative path to a directory of the project, from a link at a place of it."""
    return os.path.relpath(target, os.path.dirname(place))
