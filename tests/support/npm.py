"""Packages of npm that are made on the spot, and a registry on loopback that has them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.loopback import Loopback
from tests.support.node import npm


@dataclass(frozen=True, kw_only=True)
class NpmMade:
    """A package that was made: its package.json, and its archive."""

    manifest: Mapping[str, Any]
    archive: bytes

    @property
    def name(self) -> str:
        """Its name, with the scope."""
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.manifest["version"])

    @property
    def integrity(self) -> str:
        """The hash of its archive, as npm writes it."""
        return "sha512-" + base64.b64encode(hashlib.sha512(self.archive).digest()).decode()

    @property
    def filename(self) -> str:
        """What its archive is called in a registry."""
        return f"{self.name.rpartition('/')[2]}-{self.version}.tgz"


def npm_package(
    name: str, version: str = "1.0.0", files: Mapping[str, str | bytes] | None = None, **manifest: Any
) -> NpmMade:
    """Make a package.

    Args:
        name, version: of it.
        files: the contents of its files by path; without one, ``index.js`` says what it is.
        manifest: further fields of its package.json.
    """
    said = {"name": name, "version": version, **manifest}
    files = {"index.js": f"module.exports = {json.dumps(f'{name}@{version}')};\n"} if files is None else files
    content = {"package.json": json.dumps(said, indent=1), **files}
    return NpmMade(manifest=said, archive=tgz({f"package/{path}": text for path, text in content.items()}))


def tgz(
    members: Mapping[str, str | bytes | Callable[[tarfile.TarInfo], None]] | Iterable[tuple[str, Any]],
) -> bytes:
    """Return an archive.

    Args:
        members: contents by name, in this order; a function makes of a member what it will (a link, a device). Pairs
            may name one twice.
    """
    pairs = members.items() if isinstance(members, Mapping) else members
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in pairs:
            info = tarfile.TarInfo(name)
            info.mode = 0o644
            data = b""
            if callable(content):
                content(info)
            else:
                data = content.encode() if isinstance(content, str) else content
                info.size = len(data)
                info.mode = 0o755 if data.startswith(b"#!") else 0o644
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


@dataclass
class NpmRegistry(Loopback):
    """Serve packages as the npm registry does, until the block ends.

    Args:
        packages: what it has; more may come.

    Attributes:
        token: the Bearer token that every request must have; None for none.
        user: ``name:password`` that every request must have.
        weak: whether it says SHA-1 alone of archives, as the registry did once.
        altered: archives that are sent in place of others, by file name.
        failures: how many requests for each archive fail before a good answer.
        requests: paths of the requests so far.
    """

    packages: list[NpmMade] = field(default_factory=list)
    token: str | None = None
    user: str | None = None
    weak: bool = False
    altered: dict[str, bytes] = field(default_factory=dict)
    failures: int = 0
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._failed: dict[str, int] = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        """Its URL, with a final slash, as npm has it."""
        return f"{self.base}/"

    @property
    def archives(self) -> list[str]:
        """The file names of the archives that were asked for so far."""
        return [path.rpartition("/")[2] for path in self.requests if "/-/" in path]

    def archive_url(self, package: NpmMade) -> str:
        """Return where a package's archive is."""
        return f"{self.url}{package.name}/-/{package.filename}"

    def lock(self, directory: Path, *arguments: str, home: Path, **more: str) -> dict[str, Any]:
        """Let npm make the package-lock.json of a project, and return it."""
        npm(
            "install",
            "--package-lock-only",
            "--ignore-scripts",
            *arguments,
            directory=directory,
            home=home,
            npm_config_registry=self.url,
            **more,
        )
        found: dict[str, Any] = json.loads((directory / "package-lock.json").read_text())
        return found

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(handler.path).path)
        self.requests.append(path)
        said = handler.headers.get("Authorization", "")
        wanted = f"Bearer {self.token}" if self.token else ""
        if self.user:
            wanted = f"Basic {base64.b64encode(self.user.encode()).decode()}"
        if said != wanted:
            return _send(handler, 401, b"{}", "application/json")
        name, between, filename = path.strip("/").partition("/-/")
        found = [package for package in self.packages if package.name == name]
        if between:
            package = next((package for package in found if package.filename == filename), None)
            if package is None:
                return _send(handler, 404, b"{}", "application/json")
            self._failed[filename] = self._failed.get(filename, 0) + 1
            if self._failed[filename] <= self.failures:
                return _send(handler, 503, b"", "text/plain")
            return _send(handler, 200, self.altered.get(filename, package.archive), "application/octet-stream")
        if not found:
            return _send(handler, 404, b"{}", "application/json")
        return _send(handler, 200, json.dumps(self._packument(found)).encode(), "application/json")

    def _packument(self, packages: list[NpmMade]) -> dict[str, Any]:
        return {
            "name": packages[0].name,
            "dist-tags": {"latest": packages[-1].version},
            "versions": {
                package.version: {
                    **package.manifest,
                    **({"hasInstallScript": True} if _has_install_script(package) else {}),
                    "dist": {
                        "tarball": self.archive_url(package),
                        "shasum": hashlib.sha1(package.archive).hexdigest(),
                        **({} if self.weak else {"integrity": package.integrity}),
                    },
                }
                for package in packages
            },
        }


def _has_install_script(package: NpmMade) -> bool:
    return any(name in package.manifest.get("scripts", {}) for name in ("preinstall", "install", "postinstall"))


def _send(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
