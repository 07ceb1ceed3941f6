"""An index of one's own: pypiserver with a login, over TLS that wants a certificate of its clients; and a proxy.

Run by the Python of ``script/python-tools … pypiserver``, as a program: ``private_index.py WHEELS CERTIFICATES``. It
makes an authority and certificates, serves until its standard input ends, and prints the ports as one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import wsgiref.simple_server
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER, PASSWORD = "me", "pass+word"
PROXY_USER, PROXY_PASSWORD = "walker", "proxy-word"


@dataclass(kw_only=True)
class PrivateIndex:
    """What the program serves.

    Attributes:
        plain, tls: ports without TLS, and with it where the client has to show a certificate.
        certificates: directory with ``ca.pem``, ``client.pem`` (with its key), ``other.pem``.
    """

    plain: int
    tls: int
    certificates: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def url(self, login: str = "", *, tls: bool = False) -> str:
        """Return the URL of the index, perhaps with a login."""
        at = f"{login}@" if login else ""
        return f"https://{at}localhost:{self.tls}/simple/" if tls else f"http://{at}localhost:{self.plain}/simple/"


@contextlib.contextmanager
def private_index(python: Path, wheels: Path, scratch: Path) -> Iterator[PrivateIndex]:
    """Serve a directory of wheels until the block ends."""
    certificates = scratch / "certificates"
    certificates.mkdir()
    with (scratch / "index.log").open("w") as log:
        process = subprocess.Popen(
            [python, __file__, wheels, certificates],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (scratch / "index.log").read_text()
            yield PrivateIndex(**json.loads(line), certificates=certificates, log=scratch / "index.log")
        finally:
            process.stdin.close()
            process.wait(timeout=20)
            process.stdout.close()


@contextlib.contextmanager
def proxy(python: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Run a proxy that wants a login until the block ends; give its ``HOST:PORT`` and its log of requests."""
    port, log = scratch / "proxy-port", scratch / "proxy.log"
    command = [
        *(python, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", port),
        *("--num-workers", "1", "--num-acceptors", "1", "--log-file", log, "--data-dir", scratch / "proxy"),
        *("--basic-auth", f"{PROXY_USER}:{PROXY_PASSWORD}"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not (port.is_file() and port.read_text().strip()):
            assert time.monotonic() < deadline and process.poll() is None, log.read_text() if log.exists() else "none"
            time.sleep(0.05)
        yield f"127.0.0.1:{port.read_text().strip()}", log
    finally:
        process.terminate()
        process.wait(timeout=20)


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that do not trust the server."""


def _serve(application: Any, context: ssl.SSLContext | None) -> int:
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, server_class=_Server)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def _main(wheels: str, certificates: Path) -> None:
    import pypiserver  # type: ignore[import-not-found]
    import trustme  # type: ignore[import-not-found]

    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(certificates / "ca.pem")
    other.cert_pem.write_to_path(certificates / "other.pem")
    authority.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(certificates / "client.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("localhost").configure_cert(context)

    application = pypiserver.app(
        roots=[wheels],
        authenticate=["list", "download", "update"],
        password_file=".",
        auther=lambda user, password: (user, password) == (USER, PASSWORD),
        disable_fallback=True,
    )
    print(json.dumps({"plain": _serve(application, None), "tls": _serve(application, context)}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
