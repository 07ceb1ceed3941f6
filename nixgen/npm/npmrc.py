"""What npm is told by its configuration: which registry, with which login, through what.

The files and their order are npm's ("npmrc", "config" in its documentation): variables, the project's, the user's, the
machine's. Logins stay where they are used: none is in a lock, a message or an argument of a program.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nixgen.access import Access
from nixgen.credentials import Credentials, without_credentials
from nixgen.errors import InputError
from nixgen.wheels.trust import Proxies

if TYPE_CHECKING:
    import httpx

_VARIABLE = re.compile(r"(?<!\\)\$\{([^${}?]+)(\?)?\}")
_LINE = re.compile(r"\s*([^=;#\s][^=]*?)\s*=\s*(.*?)\s*")

#: How long npm may take to say what it is set to, in seconds.
_PATIENCE = 30


@dataclass(frozen=True, kw_only=True)
class Npmrc:
    """npm's configuration.

    Attributes:
        said: values by key; that which counts, of several.
    """

    said: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, base: Path, environ: Mapping[str, str] | None = None) -> Npmrc:
        """Read what counts for a project.

        Args:
            base: its directory.
            environ: environment variables; those of the process where it is None.
        """
        environ = os.environ if environ is None else environ
        variables = dict(_of_variables(environ))
        user = variables.get("userconfig") or str(Path(environ.get("HOME", "~")).expanduser() / ".npmrc")
        machine = variables.get("globalconfig") or _machine_file(variables.get("prefix"))
        said: dict[str, str] = {}
        for path in (machine, user, base / ".npmrc"):
            if path is not None:
                said |= _of_file(Path(path), environ)
        return cls(said=said | variables)

    def registry_of(self, name: str) -> str | None:
        """Return the URL of the registry that a package comes from, with a final slash; None for npm's own."""
        scope = name.partition("/")[0] if name.startswith("@") else ""
        found = self.said.get(f"{scope}:registry") or self.said.get("registry")
        return None if found is None else f"{without_credentials(found).rstrip('/')}/"

    def access(self, access: Access) -> Access:
        """Return how npm's servers are reached: as others, and as npm is told beside.

        Args:
            access: how others are.
        """
        trust, proxies = access.trust, access.proxies
        if cafile := self.said.get("cafile"):
            trust = replace(trust, files=(*trust.files, Path(cafile))) if Path(cafile).is_file() else trust
        if self.said.get("strict-ssl") == "false":
            trust = replace(trust, insecure_hosts=("*",))
        found = {"http": self.said.get("proxy"), "https": self.said.get("https-proxy") or self.said.get("proxy")}
        said = {scheme: url for scheme, url in found.items() if url and url not in ("null", "false")}
        if said:
            none = [host.strip().lower() for host in self.said.get("noproxy", "").split(",") if host.strip()]
            proxies = Proxies(by_scheme={**proxies.by_scheme, **said}, none=(*proxies.none, *none))
        logins = dict(_logins(self.said))
        return replace(
            access,
            trust=trust,
            proxies=proxies,
            credentials=NpmCredentials(
                logins=access.credentials.logins,
                users=access.credentials.users,
                keyring=access.credentials.keyring,
                netrc_file=access.credentials.netrc_file,
                headers=logins,
                registries=tuple(
                    without_credentials(url)
                    for key, url in self.said.items()
                    if key == "registry" or key.endswith(":registry")
                ),
            ),
        )

    def secrets(self) -> set[str]:
        """Return what no message may show."""
        return {value for key, value in self.said.items() if key.rpartition(":")[2].startswith("_") and value}


@dataclass(frozen=True, kw_only=True)
class NpmCredentials(Credentials):
    """Logins as npm has them: for a registry, or a part of its paths.

    Attributes:
        headers: the value of ``Authorization`` by ``//host/path/``.
        registries: the registries that are named, whose login counts for all of their host.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    registries: tuple[str, ...] = field(default=(), repr=False)

    def authorization(self, url: str) -> str | None:
        """Return the header of the longest path that is said anything of (npm-registry-fetch, ``lib/auth.js``)."""
        found = self._of_path(url)
        if found is None:
            host = urlsplit(url).netloc
            same = (registry for registry in self.registries if urlsplit(registry).netloc == host)
            found = next((header for registry in same if (header := self._of_path(registry))), None)
        return found if found is not None else super().authorization(url)

    def auth(self) -> httpx.Auth | None:
        """Return what a client needs to log in, None where no login is known at all."""
        from nixgen.wheels.connections import OriginAuth

        return OriginAuth(self) if self.headers else super().auth()

    def _of_path(self, url: str) -> str | None:
        parts = urlsplit(url)
        key = f"//{parts.netloc.rpartition('@')[2]}{parts.path}"
        while len(key) > len("//"):
            if key in self.headers:
                return self.headers[key]
            key = key[:-1] if key.endswith("/") else key[: key.rfind("/") + 1]
        return None


def default_registry() -> str:
    """Ask npm which registry is its own, whatever it is told; with a final slash.

    Raises:
        InputError: there is no npm to ask.
    """
    program = shutil.which("npm")
    said = ""
    if program is not None:
        kept = {key: value for key, value in os.environ.items() if not key.lower().startswith("npm_config_")}
        # Of the same file twice npm would say that it has read it.
        files = {"npm_config_userconfig": os.devnull, "npm_config_globalconfig": f"{os.devnull}/npmrc"}
        try:
            done = subprocess.run(
                [program, "config", "get", "registry"],
                cwd="/",
                env=kept | files,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
            said = done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
            said = ""
    if not said.startswith("http"):
        raise InputError(
            "the lock does not say where its packages are, and there is no npm to ask for its registry",
            where="package-lock.json",
            todo="write `registry=URL` into .npmrc, or install npm",
        )
    return f"{said.rstrip('/')}/"


def _of_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what ``npm_config_*`` say, in small letters, with hyphens; what begins with ``//`` stays as it is."""
    for name, value in environ.items():
        if name.lower().startswith("npm_config_") and value:
            key = name[len("npm_config_") :]
            yield (key if key.startswith("//") else key.lower().replace("_", "-")), value


def _of_file(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Read an ``.npmrc``; one that cannot be read says nothing, as with npm."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            key, value = (_replaced(part, environ) for part in match.groups())
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[key] = value[1:-1] if quoted else value
    return found


def _replaced(text: str, environ: Mapping[str, str]) -> str:
    """Return a text with the variables that it names (@npmcli/config, ``lib/env-replace.js``)."""

    def value(match: re.Match[str]) -> str:
        return environ.get(match[1], "" if match[2] else match[0])

    return _VARIABLE.sub(value, text)


def _machine_file(prefix: str | None) -> Path | None:
    if prefix is None:
        program = shutil.which("npm")
        if program is None:
            return None
        prefix = str(Path(program).parent.parent)
    return Path(prefix) / "etc" / "npmrc"


def _logins(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the header for each part of a registry that something is said of."""
    for key in said:
        where, _, name = key.rpartition(":")
        if not where.startswith("//"):
            continue
        if token := said.get(f"{where}:_authToken"):
            yield where, f"Bearer {token}"
        elif login := said.get(f"{where}:_auth"):
            yield where, f"Basic {login}"
        elif name == "_password" and (user := said.get(f"{where}:username")):
            try:
                password = base64.b64decode(said[key]).decode()
            except (binascii.Error, ValueError):
                continue
            yield where, f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
