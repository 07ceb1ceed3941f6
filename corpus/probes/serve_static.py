"""A server hands out another package's files: those of swagger-ui-bundle. The argument names the server."""

import asyncio
import hashlib
import importlib.util
import sys
import threading
from pathlib import Path

from _web import free_port, same, server

PACKAGE = Path(importlib.util.find_spec("swagger_ui_bundle").origin).parent
DIRECTORY = next(path.parent for path in sorted(PACKAGE.rglob("swagger-ui.css")))


def check(get):
    """Compare what a client's ``get`` returns with the files."""
    files = sorted(path for path in DIRECTORY.iterdir() if path.is_file() and path.stat().st_size)
    for path in files:
        status, content = get(f"/static/{path.name}")
        if status != 200 or hashlib.sha256(content).digest() != hashlib.sha256(path.read_bytes()).digest():
            sys.exit(f"{path.name}: status {status}")
    print(len(files), "files")


def starlette():
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    _starlette(Starlette(routes=[Mount("/static", StaticFiles(directory=DIRECTORY))]))


def starlette_packages():
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    inner = DIRECTORY.relative_to(PACKAGE).as_posix()
    files = StaticFiles(packages=[("swagger_ui_bundle", inner)])
    _starlette(Starlette(routes=[Mount("/static", files)]))


def _starlette(app):
    from starlette.testclient import TestClient

    client = TestClient(app)

    def get(path):
        answer = client.get(path)
        return answer.status_code, answer.content

    check(get)


def aiohttp():
    from aiohttp import web

    port = free_port()

    async def start():
        app = web.Application()
        app.router.add_static("/static", DIRECTORY)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    _in_loop(start, port)


def tornado():
    from tornado.web import Application, StaticFileHandler

    port = free_port()

    async def start():
        Application([("/static/(.*)", StaticFileHandler, {"path": str(DIRECTORY)})]).listen(port, "127.0.0.1")

    _in_loop(start, port)


def _in_loop(start, port):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    _over_http(port)


def _over_http(port):
    print(same(f"http://127.0.0.1:{port}/static/", DIRECTORY), "files")


def flask():
    from flask import Flask

    client = Flask("demo", static_folder=str(DIRECTORY), static_url_path="/static").test_client()

    def get(path):
        answer = client.get(path)
        return answer.status_code, answer.data

    check(get)


def django():
    import django
    from django.conf import settings
    from django.test import RequestFactory
    from django.views.static import serve

    settings.configure()
    django.setup()

    def get(path):
        name = path.removeprefix("/static/")
        answer = serve(RequestFactory().get(path), name, document_root=DIRECTORY)
        return answer.status_code, b"".join(answer.streaming_content)

    check(get)


def bottle():
    import bottle

    @bottle.route("/static/<name>")
    def static(name):
        return bottle.static_file(name, root=str(DIRECTORY))

    _wsgi(bottle.default_app())


def falcon():
    import falcon

    app = falcon.App()
    app.add_static_route("/static", str(DIRECTORY))
    _wsgi(app)


def _wsgi(app):
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", 0, app) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        _over_http(one.server_port)
        one.shutdown()


def sanic():
    from sanic import Sanic

    Path("app.py").write_text(
        "from sanic import Sanic\nimport sys\napp = Sanic('demo')\napp.static('/static', sys.argv[1])\n"
        "if __name__ == '__main__':\n"
        "    app.run('127.0.0.1', int(sys.argv[2]), single_process=True, access_log=False)\n"
    )
    assert Sanic
    port = free_port()
    with server(sys.executable, "app.py", str(DIRECTORY), str(port), url=f"http://127.0.0.1:{port}/"):
        _over_http(port)


def litestar():
    from litestar import Litestar
    from litestar.static_files import create_static_files_router
    from litestar.testing import TestClient

    app = Litestar([create_static_files_router(path="/static", directories=[DIRECTORY])])
    with TestClient(app) as client:

        def get(path):
            answer = client.get(path)
            return answer.status_code, answer.content

        check(get)


def standard_library():
    port = free_port()
    words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port), "--directory", str(DIRECTORY)]
    with server(*words, url=f"http://127.0.0.1:{port}/"):
        print(same(f"http://127.0.0.1:{port}/", DIRECTORY), "files")


SERVERS = {
    "starlette": starlette,
    "starlette-packages": starlette_packages,
    "aiohttp": aiohttp,
    "tornado": tornado,
    "flask": flask,
    "django": django,
    "bottle": bottle,
    "falcon": falcon,
    "sanic": sanic,
    "litestar": litestar,
    "http.server": standard_library,
}

SERVERS[sys.argv[1]]()
