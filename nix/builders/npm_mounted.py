"""Write the image of a ``node_modules`` as npm lays it out: real files, whose content packages have."""

import os

import erofs
import npm_layout
import npm_lockfile
import shown

#: What every file is dated, as in the store.
_TIME = 1

_MODULES = "node_modules"


def build(attributes, out):
    """Make the directory ``out``, with the image, and a link to the environment of links.

    Args:
        attributes: ``directory`` whose node_modules it is ("" for the project's own), ``environment`` (a store path)
            and ``packages``, as ``npm_environment`` takes them. For the project's own, all there are, ``project`` (its
            name), and ``workspaces``: pairs of a directory that has packages of its own, and the image of those.
        out: directory to make.
    """
    os.mkdir(out)
    top = os.path.join(attributes["directory"], _MODULES)
    packages = [package for package in attributes["packages"] if package["at"].startswith(f"{top}/")]
    store = os.path.dirname(out)
    root = erofs.Directory({})
    # By their places, what lies in a package comes after it.
    for package in sorted(packages, key=lambda package: package["at"].split("/")):
        _put(root, package, top, store)
    for modules, members in _levels(packages).items():
        for command, target in npm_layout.commands(members).items():
            around = _at(root, [*_parts(modules, top), ".bin"])
            around.entries[os.fsencode(command)] = erofs.Link(os.fsencode(target))
    if "workspaces" in attributes:
        record = os.path.join(out, "package-lock.json")
        with open(record, "x", encoding="utf-8") as file:
            file.write(npm_lockfile.text(attributes["project"], attributes["packages"]))
        root.entries[npm_lockfile.NAME.encode()] = _file(record, store)
        shown.write_workspaces(out, dict(attributes["workspaces"]))
    shown.write(out, root, attributes["environment"], time=_TIME)


def _put(root, package, top, store):
    parts = _parts(package["at"], top)
    around = _at(root, parts[:-1])
    name = os.fsencode(parts[-1])
    if "link" in package:
        around.entries[name] = erofs.Link(os.fsencode(npm_layout.way_to(package["link"], package["at"])))
    else:
        around.entries[name] = _directory(os.path.realpath(package["path"]), store)


def _directory(real, store):
    entries = {}
    with os.scandir(real) as listing:
        for entry in listing:
            if entry.is_symlink():
                continue  # what the package needs and is of its own name: it has a place of its own
            name = os.fsencode(entry.name)
            entries[name] = _directory(entry.path, store) if entry.is_dir() else _file(entry.path, store)
    return erofs.Directory(entries)


def _file(path, store):
    status = os.stat(path)
    content = os.fsencode(path[len(store) :]) if status.st_size else b""
    return erofs.File(0o755 if status.st_mode & 0o100 else 0o644, status.st_size, content)


def _parts(path, top):
    """Return the way from the node_modules at the top to a place below it."""
    return path[len(top) + 1 :].split("/") if path != top else []


def _at(root, parts):
    """Return the directory at a path, which is made where it is not."""
    for part in parts:
        root = root.entries.setdefault(os.fsencode(part), erofs.Directory({}))
    return root


def _levels(packages):
    """Return the packages of each ``node_modules`` by name, by its path."""
    found = {}
    for package in packages:
        around, _, name = package["at"].rpartition(f"{_MODULES}/")
        found.setdefault(around + _MODULES, {})[name] = package
    return found
