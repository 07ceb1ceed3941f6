"""Which files of a wheel have to be copies because what hands them to browsers refuses links out of its directory.

Some servers compare paths as they are written: Flask, Django, Bottle, Falcon, Litestar, the standard library's. Others
compare that to which links lead: Starlette and FastAPI, aiohttp, Sanic, Datasette, and Tornado from 6.5.9 on, with it
Jupyter, Bokeh and Panel. Which one it is, the wheel's sources tell (``serving``), what it requires, and where its files
lie. Where nothing tells, anybody may serve them, and they are copies.
"""

import posixpath
import re

import serving

#: What makes a browser's directory of one.
_CODE = (".js", ".mjs", ".css", ".wasm")

#: What is served beside it, where the directory's name does not say that all of it is.
_WEB = (
    *_CODE,
    *(".html", ".htm", ".map", ".json", ".webmanifest", ".xml", ".txt"),
    *(".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".avif"),
    *(".woff", ".woff2", ".ttf", ".otf", ".eot"),
    *(".gz", ".br", ".mp3", ".mp4", ".webm", ".pdf"),
)

#: Directories that are served as a whole, whatever lies in them; "statics" is Starlette's default.
_NAMES = frozenset(["static", "statics", "assets", "public", "dist", "build", "www", "htdocs"])

#: Parts of such a directory, beside which its pages and images lie.
_PARTS = frozenset(["js", "css", "scripts", "styles"])

#: What is no data: Python, a compiler or a linker takes it.
_NO_DATA = re.compile(r"\.(?:py[iwcdx]?|pxd|typed|[hca]|hh|hpp|cc|cpp|cuh?|(?:so|dll|dylib)(?:\.[^/]*)?)$")
_LIBRARY = re.compile(r"\.(?:so|pyd|dll|dylib)(?:\.|$)")

#: Where a wheel says by itself where files go.
_INSTALLED = re.compile(r"^[^/]+\.data/[^/]+/")

#: What packages keep for Jupyter's installers, which copy it to where it is served from.
_JUPYTER = frozenset(["labextension", "labextensions", "nbextension", "nbextensions"])
_JUPYTERS_OWN = "/share/jupyter/"

#: Distributions that serve, refusing links, what lies in those that require them.
_HOSTS = frozenset(
    [
        *("bokeh", "datasette", "jupyter-server", "jupyterlab", "nbclassic", "nicegui", "notebook", "panel"),
        *("streamlit", "voila"),
    ]
)


class Web:
    """What of one wheel is served, perhaps.

    Args:
        paths: its files.
        read: gives the content of one.
        programs: its files that belong to programs of their own, such as Node.js' packages.
    """

    def __init__(self, paths, read, programs=frozenset()):
        self._hosted = not _HOSTS.isdisjoint(_required(paths, read))
        self._data = {path: _INSTALLED.sub("", path).split("/")[1:-1] for path in paths if _is_data(path)}
        self._web = _web_files(paths, self._data)
        self._programs = frozenset(programs)
        self._bundle = (
            all(posixpath.basename(path) == "__init__.py" for path in paths if path.endswith(".py"))
            and any(path.endswith(_WEB) for path, above in self._data.items() if above)
            and not any(map(_LIBRARY.search, paths))
        )

    def look(self, content):
        """Return what a Python source says of serving, a ``serving.Serving``."""
        reading = bool(self._web - self._programs) or self._bundle
        return serving.look(content, reading) if self._data else serving.NOTHING

    def served(self, sources):
        """Return the paths of the files that have to be copies.

        Args:
            sources: what each Python source of the wheel says, ``serving.Serving``.
        """
        sources = list(sources)
        found = {path for path in self._data if _JUPYTERS_OWN in path}
        if self._bundle and not any(source.reads for source in sources):
            return found | {path for path, above in self._data.items() if above}
        refusing = [source for source in sources if source.refuses]
        if refusing:
            named = _named(refusing)
            return found | self._web | {path for path, above in self._data.items() if not named.isdisjoint(above)}
        if self._hosted:
            return found | self._web
        gets, lends = any(source.gets for source in sources), any(source.lends for source in sources)
        named = _named(source for source in sources if gets or (source.reads and not lends))
        return found | {path for path in self._web - self._programs if named.isdisjoint(self._data[path])}


def _named(sources):
    return set().union(*(source.named for source in sources))


def _is_data(path):
    """Tell whether a file may be served: it lies in a package or where Jupyter looks, and is neither code nor notes."""
    directories = _INSTALLED.sub("", path).split("/")[:-1]
    if not directories or directories[0].endswith(".dist-info") or _NO_DATA.search(path):
        return False
    return _JUPYTERS_OWN in path or _JUPYTER.isdisjoint(directories)


def _web_files(paths, data):
    """Return the files in directories for browsers: beside their code, below a name or a page that says so."""
    # Django looks for an application's files by their paths as written, and serves links (checked: 5.2).
    django = {posixpath.dirname(path) + "/static" for path in paths if posixpath.basename(path) == "apps.py"}
    above = {path: frozenset(_above(path)) for path in data}
    data = [path for path in data if django.isdisjoint(above[path])]
    every = frozenset().union(*above.values())
    code = {posixpath.dirname(path) for path in data if path.endswith(_CODE)}
    code |= {posixpath.dirname(directory) for directory in code if posixpath.basename(directory) in _PARTS} - {""}
    pages = {directory for directory in every if directory + "/index.html" in paths}
    whole = {directory for directory in every if posixpath.basename(directory) in _NAMES}
    return {
        path
        for path in data
        if not whole.isdisjoint(above[path]) or (path.endswith(_WEB) and not (code | pages).isdisjoint(above[path]))
    }


def _above(path):
    """Yield the directories that a path lies in, but for the archive's top."""
    while "/" in path:
        path = path[: path.rindex("/")]
        yield path


def _required(paths, read):
    """Return the normalized names of the distributions that a wheel requires without an extra."""
    metadata = next((path for path in paths if path.endswith(".dist-info/METADATA") and path.count("/") == 1), None)
    required = set()
    for line in read(metadata).split(b"\n\n")[0].splitlines() if metadata else ():
        match = re.match(rb"Requires-Dist:\s*([\w.-]+)(.*)", line)
        if match and b"extra" not in match[2]:
            required.add(re.sub(r"[-_.]+", "-", match[1].decode()).lower())
    return required
