"""A binary cache on loopback that counts, lies, breaks off and is slow, and a machine that forgets."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.cli import Cli
from tests.support.loopback import Loopback
from tests.support.nix import NixInstallation
from tests.support.server import basic

#: What of a cache's file is sent: given its name and bytes, an HTTP status or other bytes.
Change = Callable[[str, bytes], bytes | int]


@dataclass
class CacheServer(Loopback):
    """Serve a directory until the block ends.

    Attributes:
        requests: method, path and status of each request so far.
        change: changes what is sent.
        delay: seconds before an answer.
        user: ``name:password`` that requests must authenticate with (basic).
    """

    directory: Path
    change: Change = lambda name, content: content
    delay: float = 0
    user: str | None = None
    requests: list[tuple[str, str, int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 30

            def do_GET(self) -> None:
                time.sleep(owner.delay)
                file = owner.directory / self.path.lstrip("/")
                content = owner.change(self.path, file.read_bytes()) if file.is_file() else 404
                if owner.user is not None and self.headers.get("Authorization") != basic(owner.user):
                    content = 401
                status, body = (content, b"") if isinstance(content, int) else (200, content)
                owner.requests.append((self.command, self.path, status))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="cache"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        return super().__enter__()

    @property
    def url(self) -> str:
        """The server's URL."""
        return self.base

    @property
    def absent(self) -> list[str]:
        """What was asked for and is not there."""
        return [path for _, path, status in self.requests if status == 404]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A project, and a store that can be lost, at one place.

    Attributes:
        cli: ``nixgen`` in the project.
        nix: the store.
        cache: the directory of a binary cache.
        secret, public: of the key that signed it: a file, and the key.
    """

    cli: Cli
    nix: NixInstallation
    cache: Path
    secret: Path
    public: str

    def forget(self) -> None:
        """Lose the store, and what nixgen and Nix keep of caches."""
        self.nix.make_removable()
        for path in self.nix.root.iterdir():
            if path.name != "etc":
                shutil.rmtree(path)
        shutil.rmtree(Path(self.cli.environment["XDG_CACHE_HOME"]), ignore_errors=True)

    def build(self, *arguments: str | Path, key: bool = True, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``nixgen build``, with the key to be trusted."""
        words = ["--trusted-key", self.public] if key else []
        return self.cli("build", "--no-out-link", *words, *arguments, code=code)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run another command in the project with the same store."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.cli.directory,
            env={**os.environ, **self.cli.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done

    def stored(self, cache: Path | None = None) -> set[str]:
        """Return the names of the store paths that a cache has."""
        found = (cache or self.cache).glob("*.narinfo")
        return {re.findall(r"StorePath: .*/[a-z0-9]{32}-(.+)", path.read_text())[0] for path in found}


def make_key(directory: Path, env: dict[str, str]) -> tuple[Path, str]:
    """Make a key of Nix's; return the file of the secret one, and the public one."""
    words = ("nix", "--extra-experimental-features", "nix-command", "key")

    def nix(*arguments: str, given: str = "") -> str:
        return subprocess.run([*words, *arguments], env=env, input=given, capture_output=True, text=True).stdout

    secret = directory / "secret"
    secret.write_text(nix("generate-secret", "--key-name", "tests-1"))
    return secret, nix("convert-secret-to-public", given=secret.read_text()).strip()
