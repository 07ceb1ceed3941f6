"""The rules by which files that browsers ask for become copies."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pytest
import serving
import web

METADATA = "demo-1.0.dist-info/METADATA"

#: A wheel's data, and whether it is copied where nothing tells who serves it.
FILES = {
    "demo/static/index.html": True,
    "demo/static/js/app.js": True,
    "demo/static/img/logo.png": True,
    "demo/static/data.parquet": True,
    "demo/statics/logo.png": True,
    "demo/statics/robots.txt": True,
    "demo/page/index.html": True,
    "demo/page/fonts/a.woff2": True,
    "demo/page/js/app.js": True,
    "demo/page/model.bin": False,
    "demo/ui/css/a.css": True,
    "demo/ui/about.html": True,
    "demo/static/a.py": False,
    "demo/static/a.pyi": False,
    "demo/static/a.cpython-311-x86_64-linux-gnu.so": False,
    "demo/templates/base.html": False,
    "demo/images/logo.png": False,
    "demo/data.json": False,
    "app/apps.py": False,
    "app/static/app/app.css": False,
    "demo/labextension/static/a.js": False,
    "demo-1.0.data/data/share/jupyter/labextensions/demo/static/a.js": True,
    "demo-1.0.data/data/share/jupyter/nbextensions/demo/data": True,
    "demo-1.0.data/purelib/other/static/a.png": True,
    METADATA: False,
}


def served(sources: Mapping[str, str], *, requires: str = "", files: Mapping[str, bool] = FILES) -> set[str]:
    """Return the copies of a wheel with some sources and data."""
    contents = {path: textwrap.dedent(source).encode() for path, source in sources.items()}
    contents[METADATA] = f"Metadata-Version: 2.1\n{requires}\n\nRequires-Dist: panel\n".encode()
    rules = web.Web({*files, *contents}, lambda path: contents.get(path, b"x"))
    found: set[str] = rules.served([rules.look(contents[path]) for path in sources])
    return found


NOBODY = {"demo/cli.py": "import sys\n"}


@pytest.mark.parametrize("path", FILES)
def test_where_nothing_tells_web_directories_are_copied(path: str) -> None:
    """A directory that looks like a browser's is copied with all that is in it; sources, data and Django's are not."""
    assert (path in served(NOBODY)) == FILES[path]


READING = {
    "Flask": "from flask import Flask\napp = Flask(__name__, static_folder='{name}')\n",
    "a response as written": "from fastapi.responses import FileResponse\nx = FileResponse(HERE / '{name}/a.js')\n",
    "get_data": "import pkgutil\nx = pkgutil.get_data('demo', '{name}/a.js')\n",
    "open": "with open(os.path.join(HERE, '{name}', 'a.js')) as file: pass\n",
    "resources": "x = importlib.resources.files('demo.{name}').joinpath('a.js').read_text()\n",
    "Starlette, which follows": """
        from starlette.staticfiles import StaticFiles
        app = StaticFiles(directory=HERE / '{name}', follow_symlink=True)
        page = (HERE / '{name}' / 'a.html').read_text()
        """,
    "Starlette, made to follow": """
        from starlette.staticfiles import StaticFiles
        class Own(StaticFiles):
            def __init__(self, directory):
                super().__init__(directory=directory, follow_symlink=True)
        app = Own(directory=HERE / '{name}')
        page = (HERE / '{name}' / 'a.html').read_text()
        """,
    "Streamlit's way": """
        def inside(root, name):
            root = os.path.realpath(root)
            return os.path.commonpath([root, os.path.realpath(os.path.join(root, name))]) == root
        x = FileResponse(HERE + '/{name}/a.js')
        """,
}


@pytest.mark.parametrize("source", READING.values(), ids=READING)
def test_what_a_wheel_reads_or_serves_itself_stays_a_link(source: str) -> None:
    """Files of a directory that a source names, and reads or serves by their paths as written, are links."""
    files = {"demo/static/a.js": False, "demo/assets/a.js": True}
    assert served({"demo/app.py": source.format(name="static")}, files=files) == {"demo/assets/a.js"}


def test_get_data_reaches_what_other_sources_name() -> None:
    """Dash's components name their scripts, and Dash gets them by package and path."""
    sources = {
        "demo/app.py": "from .backend import serve\nx = pkgutil.get_data(package_name, path)\n",
        "demo/backend.py": "def serve(app, assets):\n    app.mount('/a', StaticFiles(directory=assets))\n",
        "demo/components.py": "_js_dist = [{'relative_package_path': 'dcc/dcc.js'}]\n",
    }
    files = {"demo/dcc/dcc.js": False, "demo/other/a.js": True}
    assert served(sources, files=files) == {"demo/other/a.js"}


REFUSING = {
    "Starlette": "app.mount('/x', StaticFiles(directory=HERE / 'pictures'))\n",
    "Starlette, asked by a variable": "app = StaticFiles(directory=HERE / 'pictures', follow_symlink=follow)\n",
    "Starlette, packages": "app = StaticFiles(packages=[('demo', 'pictures')])\n",
    "Starlette, derived": """
        class Cached(StaticFiles):
            pass
        app = Cached(directory=HERE / 'pictures')
        """,
    "Starlette, by default": """
        def make(directory=HERE / 'pictures'):
            return StaticFiles(directory=directory)
        """,
    "aiohttp": "app.router.add_static('/x', HERE / 'pictures')\n",
    "aiohttp, a route": "app.add_routes([web.static('/x', files('demo.pictures'))])\n",
    "Sanic": "app.static('/x', HERE / 'pictures', name='x')\n",
    "Tornado": "tornado.web.Application([('/(.*)', StaticFileHandler, {'path': join(HERE, 'pictures')})])\n",
    "Tornado, a setting": "tornado.web.Application([], static_path=join(HERE, 'pictures'))\n",
    "Datasette": "x = asgi_static(HERE / 'pictures')\n",
    "by itself": """
        def get(name):
            path = PICTURES / name  # Path(__file__).parent / 'pictures'
            if path.resolve().is_relative_to(PICTURES.resolve()):
                return FileResponse(path)
        """,
    "by itself, as texts": """
        def get(name):
            path = os.path.realpath(os.path.join(HERE, 'pictures', name))
            return FileResponse(path) if path.startswith(HERE) else None
        """,
}


@pytest.mark.parametrize("source", REFUSING.values(), ids=REFUSING)
def test_what_a_wheel_serves_by_what_refuses_links_is_copied(source: str) -> None:
    """The directories that such a source names are copied with all in them, and so are all that look like a browser's.

    Also where another source reads them.
    """
    files = {"demo/pictures/deep/logo.png": True, "demo/pictures/about.json": True, "demo/static/a.js": True}
    sources = {"demo/app.py": source, "demo/page.py": "x = open(HERE + '/static/a.js')\n"}
    assert served(sources, files={**files, "demo/other/a.png": False}) == files.keys()


def test_a_directory_that_is_handed_over_is_nobodys() -> None:
    """A function that serves what it is given copies nothing by itself, and takes no web directory for a link."""
    files = {"demo/pictures/logo.png": False, "demo/static/a.js": True}
    source = "def serve(app, directory):\n    app.mount('/x', StaticFiles(directory=directory))\n"
    source += "x = open(HERE + '/static/a.js').read(), 'pictures'\n"
    assert served({"demo/app.py": source}, files=files) == {"demo/static/a.js"}


@pytest.mark.parametrize(
    ("requires", "host"),
    [
        ("Requires-Dist: streamlit>=1", True),
        ("Requires-Dist: Jupyter_Server (>=1)", True),
        ('Requires-Dist: panel; extra == "all"', False),
        ("Requires-Dist: panel-lib", False),
    ],
)
def test_a_plugin_of_what_refuses_links_is_copied(requires: str, host: bool) -> None:
    """What requires Streamlit, Panel and their like has its files served by them, also where it reads them itself."""
    source = {"demo/app.py": "x = open(HERE + '/frontend/a.js').read()\n"}
    files = {"demo/frontend/a.js": host}
    assert served(source, requires=requires, files=files) == ({"demo/frontend/a.js"} if host else set())


def test_a_wheel_of_files_alone_is_copied() -> None:
    """Where there is no module that could read them, files are there for others: whatever their directory is called."""
    files = {"demo/pictures/logo.png": True, "demo/data/about.json": True, "demo/data/model.bin": True}
    path = {"demo/__init__.py": "from pathlib import Path\nPICTURES = Path(__file__).parent / 'pictures'\n"}
    assert served(path, files=files) == files.keys()
    assert served({}, files=files) == files.keys()
    assert served({"demo/__init__.py": "x = open(HERE + '/data/about.json')\n"}, files=files) == set()
    assert served(path, files={**files, "demo/lib/libx.so.1": False}) == set()
    assert served(path, files={"demo/zones/UTC": False, "demo/logo.png": False}) == set()
    assert served({**path, "demo/read.py": "x = 1\n"}, files=files) == set()


def test_programs_are_served_where_their_wheel_says_so() -> None:
    """Files of a Node.js package are no browser's by themselves; a server that hands out its directory needs them."""
    for source, copied in (("import sys\n", set()), ("x = StaticFiles(directory=DIST)\n", {"demo/dist/a/x.js"})):
        contents = {"demo/app.py": source.encode()}
        rules = web.Web({"demo/app.py", "demo/dist/a/x.js"}, contents.get, programs=["demo/dist/a/x.js"])
        assert rules.served([rules.look(source.encode())]) == copied


@pytest.mark.parametrize("content", [b"StaticFiles(", b"StaticFiles(\0)", b"StaticFiles" + b"(" * 5000])
def test_a_source_that_does_not_parse_says_nothing(content: bytes) -> None:
    """What cannot run serves nothing."""
    assert not serving.look(content).refuses
