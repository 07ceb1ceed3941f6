"""Directories of a wheel whose files must be copies together, told by the paths that the wheel has.

Two kinds of readers resolve every file that they open, and want to find it in the directory they started from: loaders
that look for neighbours there, and servers that refuse what lies elsewhere.
"""

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


def reasons(paths):
    """Return the files that must be copies because of where they lie: path to a list of reasons.

    Args:
        paths: every file of the wheel.

    Returns:
        ``subtree`` for the files of a bundled program whose loader resolves what it loads (a Node.js package, a Java
        runtime), ``served`` for those of a directory with code for browsers.
    """
    paths = frozenset(paths)
    java = _java_homes(paths)
    node = {posixpath.dirname(path) for path in paths if posixpath.basename(path) == "package.json"}
    node &= _holding(paths, (".js", ".cjs", ".mjs"))
    web = _web_roots(paths)
    found = {}
    for path in paths:
        above = _above(path)
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
        path = posixpath.dirname(path)
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


def _web_roots(paths):
    """Return the directories with code for browsers: in themselves, or below a name or a page that says so."""
    # Django looks for an application's files by their paths as written, and serves links (checked: 5.2).
    django = {posixpath.dirname(path) + "/static/" for path in paths if posixpath.basename(path) == "apps.py"}
    paths = {path for path in paths if not any(directory + "/" in django for directory in _above(path))}
    roots = {posixpath.dirname(path) for path in paths if path.endswith(_WEB_CODE)} - {""}
    for directory in _holding(paths, _WEB_CODE):
        if posixpath.basename(directory) in _STATIC or directory + "/index.html" in paths:
            roots.add(directory)
    return roots
