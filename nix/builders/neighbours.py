"""Which files of trees have to be copied into an environment, since their neighbours lie in the trees of other wheels.

What finds others from where it lies is a copy in its tree, and the environment's link leads there: to the files of its
own wheel alone. That is too few where several wheels fill a package, and where a program of another wheel inspects
libraries by their resolved paths.
"""

import os
import posixpath

#: Copies of a tree that look around themselves.
_LOOKING = frozenset(
    ["executable", "override", "resolves-itself", "package", "run-by-path", "loaded-by-path", "mach-o"]
)

#: What every part of a package that is spread over wheels brings.
_OF_EACH = frozenset(["__init__.py", "__init__.pyi", "py.typed"])


def apart(manifests, site):
    """Return the files that an environment has to have copies of: pairs of a tree and a path in it.

    Args:
        manifests: what each tree says of itself (``manifest.Manifest``), by its path.
        site: the path of site-packages in each.
    """
    shared = tuple(path + "/" for path in _shared(site, list(manifests)))
    inspected = any(said.inspects for said in manifests.values())
    found = set()
    for tree, said in manifests.items():
        if shared:
            found.update((tree, path) for path, why in said.copies.items() if _looks(path, why, shared))
        if inspected:
            found.update((tree, path) for path in said.looking if path not in said.copies)
    return found


def no_links(manifests):
    """Return the files that have to be real wherever their directory is: pairs of a tree and a path in it."""
    return {
        (tree, path) for tree, said in manifests.items() for path, why in said.copies.items() if "skips-links" in why
    }


def _looks(path, reasons, shared):
    return path.startswith(shared) and not _LOOKING.isdisjoint(reasons)


def _shared(relative, trees, top=True):
    """Return the directories below ``relative`` that several of some trees have files in, but for those below such."""
    filled, inside = 0, {}
    for tree in trees:
        names = set()
        with os.scandir(os.path.join(tree, relative)) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    names.add(entry.name)
                elif entry.name != "__pycache__":
                    inside.setdefault(entry.name, []).append(tree)
        filled += not names <= _OF_EACH
    if filled > 1 and not top:
        return [relative]
    return [
        path
        for name, owners in inside.items()
        if len(owners) > 1
        for path in _shared(posixpath.join(relative, name), owners, top=False)
    ]
