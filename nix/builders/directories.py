"""Directories of a wheel whose files must be copies together, told by the paths that the wheel has.

Two kinds of readers resolve every file that they open, and want to find it in the directory they started from: loaders
that look for neighbours there, and servers that refuse what lies elsewhere.
"""

import json
import posixpath

#: What Node.js loads.
_NODE = (".js", ".cjs", ".mjs", ".json", ".node", ".wasm")

#: What makes a browser's directory of one: nothing is served that has none of these.
_WEB_CODE = (".js", ".mjs", ".css", ".wasm")

#: What is served beside them; not what Python, a linker or a template engine reads.
_WEB = (
    *_WEB_CODE,
    *(".html", ".htm", ".map", ".json", ".webmanifest", ".xml", ".txt"),
    *(".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".avif"),
    *(".woff", ".woff2", ".ttf", ".otf", ".eot"),
    *(".gz", ".br", ".mp3", ".mp4", ".webm", ".pdf"),
)

#: Directories that are served as a whole, where there is code for a browser anywhere below them.
_STATIC = frozenset(["static", "assets", "public", "dist", "build", "www"])


#: What a Java runtime reads by its path as written, two thirds of its bytes; the rest resolves itself.
_JAVA_DATA = ("/lib/modules", "/lib/src.zip", ".jmod")

#: What packages keep for Jupyter's installers, which copy it to where it is served from.
_JUPYTER = frozenset(["labextension", "labextensions", "nbextension", "nbextensions"])


def reasons(paths, read):
    """Return the files that must be copies because of where they lie: path to a list of reasons.

    Args:
        paths: every file of the wheel.
        read: gives the content of one.

    Returns:
        ``subtree`` for the files of a bundled program whose loader resolves what it loads (a Node.js package, a Java
        runtime), ``served`` for those of a directory with code for browsers.
    """
    paths = frozenset(paths)
    java = _java_homes(paths)
    node = _node_packages(paths, read)
    web = _web_roots(paths)
    found = {}
    for path in paths if java or node or web else ():
        above = _above(path)
        if above & java and path.endswith(_JAVA_DATA):
            continue
        # A Python package that is a Node.js package too has both kinds of files side by side.
        own = any(directory + "/__init__.py" not in paths for directory in above & node)
        if above & java or own or (above & node and path.endswith(_NODE)):
            found.setdefault(path, []).append("subtree")
        elif path.endswith(_WEB) and above & web:
            found.setdefault(path, []).append("served")
    return found


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
    """Return the directories of packages that Node.js may run.

    What is bundled for a browser is none: it says that it is JupyterLab's, or keeps the description of its sources,
    which names files that are not there.
    """
    coded = _holding(paths, (".js", ".cjs", ".mjs"))
    found = set()
    for path in paths:
        directory, name = posixpath.split(path)
        if name != "package.json" or directory not in coded:
            continue
        try:
            described = json.loads(read(path))
            entries = list(_strings([described.get(key) for key in ("main", "module", "bin", "exports")]))
            browser = "jupyterlab" in described
        except (ValueError, AttributeError, RecursionError):
            entries, browser = [], False
        places = [posixpath.normpath(posixpath.join(directory, entry)) for entry in entries]
        suffixes = ("", ".js", ".cjs", ".mjs", ".json", "/index.js")
        if not browser and (not places or any(place + suffix in paths for place in places for suffix in suffixes)):
            found.add(directory)
    return found


def _strings(value):
    """Yield every string of a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _web_roots(paths):
    """Return the directories with code for browsers: in themselves, or below a name or a page that says so."""
    paths = {path for path in paths if "/share/jupyter/" in path or _JUPYTER.isdisjoint(path.split("/"))}
    # Django looks for an application's files by their paths as written, and serves links (checked: 5.2).
    django = {posixpath.dirname(path) + "/static/" for path in paths if posixpath.basename(path) == "apps.py"}
    paths = {path for path in paths if not any(directory + "/" in django for directory in _above(path))}
    roots = {posixpath.dirname(path) for path in paths if path.endswith(_WEB_CODE)} - {""}
    for directory in _holding(paths, _WEB_CODE):
        if posixpath.basename(directory) in _STATIC or directory + "/index.html" in paths:
            roots.add(directory)
    return roots
