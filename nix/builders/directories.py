"""Directories of a wheel whose files must be copies together, told by the paths that the wheel has.

Some loaders resolve every file that they load, and look for its neighbours where that leads to.
"""

import json
import posixpath

#: What Node.js loads.
_NODE = (".js", ".cjs", ".mjs", ".json", ".node", ".wasm")

#: What its programs read by its path as written, half of the bytes of Pyright, and what nobody reads.
_NODE_DATA = (".map", ".d.ts", ".d.mts", ".d.cts", ".pyi", ".md")

#: Pages: a program that has some may serve them, and resolve all that it serves (Playwright's traces).
_PAGES = (".html", ".css")

#: What a Java runtime reads by its path as written, two thirds of its bytes; the rest resolves itself.
_JAVA_DATA = ("/lib/modules", "/lib/src.zip", ".jmod")


def programs(paths, read):
    """Return the files of bundled programs: path to whether the loader resolves it, as it does not resolve data.

    Args:
        paths: every file of the wheel.
        read: gives the content of one.
    """
    paths = frozenset(paths)
    java = _java_homes(paths)
    node, commands = _node_packages(paths, read)
    serving = _holding(paths, _PAGES) & node if node else set()
    found = {}
    for path in paths if java or node else ():
        above = _above(path)
        if above & java:
            found[path] = not path.endswith(_JAVA_DATA)
        elif any(directory + "/__init__.py" not in paths for directory in above & node):
            found[path] = bool(above & serving) or not path.endswith(_NODE_DATA)
        elif above & node and path.endswith(_NODE) and not _is_of_page(above, node, paths):
            # A Python package that is a Node.js package too has both kinds of files side by side.
            found[path] = True
        elif above & commands and path.endswith(_NODE_DATA) and not above & serving:
            # Its program's, half of basedpyright's bytes; without a command of Node.js' it may be a browser's.
            found[path] = False
    return found


def _is_of_page(above, node, paths):
    """Tell whether a file lies below a page for browsers, which lies in a package itself."""
    pages = [directory for directory in above - node if directory + "/index.html" in paths]
    return any(_above(page) & node for page in pages)


def _above(path):
    """Return the directories that a path lies in, but for the archive's top."""
    found = set()
    while "/" in path:
        path = path[: path.rindex("/")]
        found.add(path)
    return found


def _holding(paths, suffixes):
    """Return the directories with a file of some suffixes at any depth."""
    return {directory for path in paths if path.endswith(suffixes) for directory in _above(path)}


def _java_homes(paths):
    """Return the directories that hold a Java runtime: its modules with the release note, or its library."""
    homes = {path[: -len("/lib/modules")] for path in paths if path.endswith("/lib/modules")}
    homes = {home for home in homes if home + "/release" in paths}
    for library in ("/lib/server/libjvm.so", "/lib/server/libjvm.dylib", "/lib/amd64/server/libjvm.so"):
        homes.update(path[: -len(library)] for path in paths if path.endswith(library))
    return homes


def _node_packages(paths, read):
    """Return the directories of packages that Node.js may run, and those of them that have a command.

    What is bundled for a browser is none: it says that it is JupyterLab's, or keeps the description of its sources,
    which names files that are not there.
    """
    coded = _holding(paths, (".js", ".cjs", ".mjs"))
    found, commands = set(), set()
    for path in paths:
        directory, name = posixpath.split(path)
        if name != "package.json" or directory not in coded:
            continue
        try:
            described = json.loads(read(path))
            entries = list(_strings([described.get(key) for key in ("main", "module", "exports")]))
            programs = list(_strings(described.get("bin")))
            browser = "jupyterlab" in described
        except (ValueError, AttributeError, RecursionError):
            entries, programs, browser = [], [], False
        if browser:
            continue
        has_command = any(_is_there(directory, program, paths) for program in programs)
        if not [*entries, *programs] or has_command or any(_is_there(directory, entry, paths) for entry in entries):
            found.add(directory)
        if has_command:
            commands.add(directory)
    return found, commands


def _is_there(directory, entry, paths):
    """Tell whether Node.js finds what a package's description names."""
    place = posixpath.normpath(posixpath.join(directory, entry))
    return any(place + suffix in paths for suffix in ("", ".js", ".cjs", ".mjs", ".json", "/index.js"))


def _strings(value):
    """Yield every string of a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
