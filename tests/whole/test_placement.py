"""Placement on real packages: what fails where every file is a link works under the rules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.wheels import make_wheel
from tests.whole.conftest import MACHINE_PYTHON

pytestmark = [pytest.mark.nix, pytest.mark.registry]

PACKAGES = ("aiohttp", "httpx", "playwright", "starlette", "swagger-ui-bundle", "tornado")

LOCAL = ("bare", "pages", "picts", "taken")

LINKS = """\
[tool.nixgen.placement]
playwright = { link = ["*"] }
swagger-ui-bundle = { link = ["*"] }
picts = { link = ["*"] }
pages = { link = ["*"] }
bare = { link = ["*"] }
"""

#: Wheels that hand out images and data without code for browsers, and one whose own server takes links.
IMAGES = (
    make_wheel(
        "picts",
        files={
            "picts/__init__.py": "",
            "picts/cli.py": "import sys\n",
            "picts/statics/img/logo.png": b"\x89PNG\r\n\x1a\n",
            "picts/statics/robots.txt": "User-agent: *\n",
        },
    ),
    make_wheel(
        "pages",
        files={
            "pages/__init__.py": "",
            "pages/app.py": (
                "from pathlib import Path\nfrom aiohttp import web\napp, inner = web.Application(), web.Application()\n"
                "inner.router.add_static('/', Path(__file__).parent / 'pictures')\napp.add_subapp('/inner', inner)\n"
            ),
            "pages/pictures/logo.png": b"\x89PNG\r\n\x1a\n",
            "pages/pictures/deep/about.json": '{"about": 1}',
        },
    ),
    make_wheel("bare", files={"bare/__init__.py": "", "bare/media/a.png": b"\x89PNG", "bare/media/b.json": "{}"}),
    make_wheel(
        "taken",
        files={
            "taken/__init__.py": "",
            "taken/app.py": "from starlette.responses import FileResponse\nDIST = 'taken/dist'\n",
            "taken/dist/app.js": "1",
        },
    ),
)

#: Prints what servers say of their files.
ASKED = """
import asyncio, importlib.resources
from aiohttp import web
from aiohttp.test_utils import TestClient as Asking, TestServer
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from pages.app import app
client = TestClient(Starlette(routes=[Mount("/", StaticFiles(packages=["picts"]))]))
print(*[client.get(path).status_code for path in ("/img/logo.png", "/robots.txt")], end=" ")
mine = web.Application()
mine.add_routes([web.static("/", importlib.resources.files("bare") / "media")])
async def ask(application, *paths):
    async with Asking(TestServer(application)) as client:
        return [(await client.get(path)).status for path in paths]
print(*asyncio.run(ask(app, "/inner/logo.png", "/inner/deep/about.json")), *asyncio.run(ask(mine, "/a.png", "/b.json")))
"""

#: Prints how many files of a directory there are, and how many a server gives.
SERVERS = {
    "starlette": """
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
client = TestClient(Starlette(routes=[Mount("/", StaticFiles(packages=[(package, inner)]))]))
given = [name for name in names if client.get("/" + name).status_code == 200]
""",
    "aiohttp": """
import asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
async def ask():
    application = web.Application()
    application.router.add_static("/", root)
    async with TestClient(TestServer(application)) as client:
        return [name for name in names if (await client.get("/" + name)).status == 200]
given = asyncio.run(ask())
""",
    "tornado": """
import asyncio
from tornado import httpclient, web
async def ask():
    server = web.Application([("/(.*)", web.StaticFileHandler, {"path": root})]).listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    client, given = httpclient.AsyncHTTPClient(), []
    for name in names:
        if (await client.fetch(f"http://127.0.0.1:{port}/{name}", raise_error=False)).code == 200:
            given.append(name)
    return given
given = asyncio.run(ask())
""",
}

FILES = """
import os, swagger_ui_bundle
package, root = "swagger_ui_bundle", str(swagger_ui_bundle.swagger_ui_path)
inner = os.path.relpath(root, os.path.dirname(swagger_ui_bundle.__file__))
names = sorted(name for name in os.listdir(root) if not name.endswith(".j2"))
"""


@pytest.fixture(scope="module")
def environments(nix_store: NixInstallation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages under the rules, with Django, and with nothing but links."""
    made = {}
    for name, pyproject, more in (("rules", "", ["django"]), ("links", LINKS, [])):
        directory = tmp_path_factory.mktemp(name)
        (directory / "requirements.in").write_text("\n".join([*PACKAGES, *LOCAL, *more]) + "\n")
        (directory / "pyproject.toml").write_text(pyproject)
        (directory / "wheels").mkdir()
        for filename, content in IMAGES:
            (directory / "wheels" / filename).write_bytes(content)
        cli = Cli(directory=directory, environment=nix_store.env)
        cli("lock", "requirements.in", "--find-links", "wheels", "--python", MACHINE_PYTHON)
        cli("build", "--python", MACHINE_PYTHON)
        made[name] = directory / "result"
    return made


@pytest.mark.parametrize("server", SERVERS)
def test_servers_give_web_assets(server: str, environments: dict[str, Path]) -> None:
    """Servers that refuse what leaves their directory give every web file of another package; links they refuse."""
    code = FILES + SERVERS[server] + "print(len(names), len(given))\n"
    given = {}
    for name, env in environments.items():
        done = subprocess.run([env / "bin/python", "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        every, given[name] = map(int, done.stdout.split())
        assert every > 10
    assert given == {"rules": every, "links": 0}


def test_images_and_data_are_served_too(environments: dict[str, Path]) -> None:
    """What refuses links hands out all kinds of files: Starlette's default directory, aiohttp's own and others'.

    What a wheel serves by its path as written stays a link.
    """
    answers = {}
    for name, env in environments.items():
        done = subprocess.run([env / "bin/python", "-c", ASKED], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers[name] = set(done.stdout.split())
    assert answers == {"rules": {"200"}, "links": {"404"}}
    site = next((environments["rules"] / "lib").glob("python*/site-packages"))
    assert (site / "taken/dist/app.js").resolve().name.endswith("-file.js")


def test_a_bundled_node_program_runs(environments: dict[str, Path]) -> None:
    """Playwright's driver, a Node.js program, runs; behind links it does not find its modules."""
    said = {
        name: subprocess.run(
            [env / "bin/playwright", "--version"], capture_output=True, text=True, check=False, env=dict(os.environ)
        )
        for name, env in environments.items()
    }
    assert said["rules"].stdout.startswith("Version "), said["rules"].stderr
    assert "Cannot find module" in said["links"].stderr


#: What ``runserver`` puts around an application, asked for every file; and ``collectstatic``.
DJANGO = """
import io, json, os, sys, tempfile, threading, urllib.request, wsgiref.simple_server
import django, django.contrib.admin
from django.conf import settings
settings.configure(
    DEBUG=True, STATIC_URL="/static/", STATIC_ROOT=os.path.join(tempfile.mkdtemp(), "collected"), ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.staticfiles", "django.contrib.admin", "django.contrib.auth",
                    "django.contrib.contenttypes", "django.contrib.messages"],
    ROOT_URLCONF=type("urls", (), {"urlpatterns": []}),
)
django.setup()
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *words): pass

root = os.path.join(os.path.dirname(django.contrib.admin.__file__), "static")
names = [os.path.relpath(os.path.join(d, n), root) for d, _, found in os.walk(root) for n in found]
application = StaticFilesHandler(get_wsgi_application())
server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
given = 0
for name in names:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/static/{name}") as answer:
        with open(os.path.join(root, name), "rb") as file:
            given += answer.read() == file.read()
call_command("collectstatic", interactive=False, verbosity=0)
collected = [os.path.join(d, n) for d, _, found in os.walk(settings.STATIC_ROOT) for n in found]
links = sum(os.path.islink(os.path.join(root, name)) for name in names if os.path.getsize(os.path.join(root, name)))
print(len(names), given, links, len(collected), sum(map(os.path.islink, collected)))
"""


def test_django_serves_links(environments: dict[str, Path], tmp_path: Path) -> None:
    """An application's static files stay links; Django serves every one of them, and collects them as files."""
    done = subprocess.run(
        [environments["rules"] / "bin/python", "-c", DJANGO], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    every, given, links, collected, collected_links = map(int, done.stdout.split())
    assert every == given == collected > 100
    assert links > 100
    assert collected_links == 0
