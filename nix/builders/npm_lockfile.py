"""npm's own record of what stands in a ``node_modules``: ``.package-lock.json``, the hidden lockfile of its manual.

Vite and others know by it that packages have changed; npm need not read every package.json.
"""

import json
import os
import posixpath
import re

#: What npm takes over of a package.json (arborist, ``lib/shrinkwrap.js``).
_FIELDS = (
    "version",
    "dependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "optionalDependencies",
    "bundleDependencies",
    "acceptDependencies",
    "funding",
    "engines",
    "os",
    "cpu",
    "libc",
    "license",
    "bin",
    "deprecated",
    "workspaces",
)


#: What it is called in a node_modules.
NAME = ".package-lock.json"


def digest(packages):
    """Return a record that names no package: npm does not believe it, and others see by it whether any has changed."""
    import hashlib

    listed = [[package["at"], package.get("link") or package["integrity"]] for package in packages]
    found = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    return json.dumps({"lockfileVersion": 3, "requires": True, "packages": {}, "nixgen": found}) + "\n"


def text(project, packages):
    """Return the record.

    Args:
        project: the project's name, "" where it has none.
        packages: of each its place ``at``; and ``link``, or ``path``, ``url``, ``integrity`` and ``flags``.
    """
    entries = {}
    for package in packages:
        at = package["at"]
        if "link" in package:
            entries[at] = {"resolved": package["link"], "link": True}
            continue
        flags = dict.fromkeys(package["flags"], True)
        archive = {"resolved": package["url"], "integrity": package["integrity"]}
        entries[at] = _entry(package["path"], at, {**archive, **flags})
        for inside in bundled(package["path"]):
            entries[f"{at}/{inside}"] = _entry(
                os.path.join(package["path"], inside), inside, {"inBundle": True, **flags}
            )
    said = {"name": project} if project else {}
    said.update(lockfileVersion=3, requires=True, packages=dict(sorted(entries.items())))
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def bundled(directory, around=""):
    """Yield the places of packages that lie in a package, below it: ``node_modules/a``."""
    modules = os.path.join(around, "node_modules")
    for name in names(os.path.join(directory, modules)):
        place = os.path.join(modules, name)
        if os.path.islink(os.path.join(directory, place)):
            continue  # what the package needs and is of its own name
        if os.path.isfile(os.path.join(directory, place, "package.json")):
            yield place
            yield from bundled(directory, place)


def names(modules):
    """Return the names of what is in a ``node_modules``, scoped ones with their scope; none where there is none."""
    found = []
    with _listing(modules) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("@") and entry.is_dir():
                with os.scandir(entry.path) as inside:
                    found += sorted(f"{entry.name}/{one.name}" for one in inside)
            elif not entry.name.startswith("."):
                found.append(entry.name)
    return found


def _listing(directory):
    if os.path.isdir(directory):
        return os.scandir(directory)
    import contextlib

    return contextlib.nullcontext(())


def _entry(directory, at, more):
    try:
        with open(os.path.join(directory, "package.json"), encoding="utf-8-sig") as file:
            said = json.load(file)
    except (OSError, ValueError):
        said = {}
    said = said if isinstance(said, dict) else {}
    found = {}
    if said.get("name") not in (None, at.rpartition("node_modules/")[2]):
        found["name"] = said["name"]
    for field in _FIELDS:
        value = _normal(field, said.get(field), said)
        if value:
            found[field] = value
    scripts = said.get("scripts")
    if isinstance(scripts, dict) and {"preinstall", "install", "postinstall"}.intersection(scripts):
        found["hasInstallScript"] = True
    return {**found, **{key: value for key, value in more.items() if value}}


def _normal(field, value, said):
    """Return a field of a package.json as npm has it (``@npmcli/package-json``, ``lib/normalize.js``)."""
    if field == "license" and isinstance(value, dict) and value.get("type"):
        return value["type"]
    if field == "funding" and isinstance(value, str):
        return {"url": value}
    if field == "bin":
        return _programs(value, said.get("name"))
    if field == "bundleDependencies":
        value = said.get("bundledDependencies") if value is None else value
        return list(said.get("dependencies") or ()) if value is True else value
    if field == "dependencies" and isinstance(value, dict):
        optional = said.get("optionalDependencies") or ()
        return {name: wanted for name, wanted in value.items() if name not in optional}
    return value


def _programs(value, name):
    """Return the paths of programs by their names, neither with a directory above (``npm-normalize-package-bin``)."""
    if isinstance(value, str):
        value = {name: value} if isinstance(name, str) else {}
    if isinstance(value, list):
        value = {path: path for path in value if isinstance(path, str)}
    found = {}
    for key, path in value.items() if isinstance(value, dict) else ():
        command = re.sub(r"[\\:]", "/", key).rstrip("/").rpartition("/")[2]
        target = posixpath.join("/", path.replace("\\", "/")) if isinstance(path, str) else "/"
        target = posixpath.normpath(target).lstrip("/")
        if command not in ("", ".", "..") and target:
            found[command] = target
    return found
