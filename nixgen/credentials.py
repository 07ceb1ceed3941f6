"""Which login a download needs, and how none of them ever reaches a message or another host."""

from __future__ import annotations

import base64
import netrc
import os
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import httpx

#: Options of uv, as environment variables, whose value is a list of index URLs (one of them may be named).
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)=(?P<url>.+)")

#: User information at the start of a URL. Where it has a password, that may have any sign unescaped, so that it goes on
#: to the last "@" of the word. What looks like a port may be the password's begin ("1/x"); in a repository's URL it is
#: one, and "@" stands before a revision.
_USERINFO = re.compile(
    r"(?<=://)(?:(?<!git\+http://)(?<!git\+https://)(?<!git\+ssh://)[^/?#\s'\"]*:\d{1,5}[/?#]\S*@"
    r"|[^/?#\s@'\"]*(?:@[^/?#\s@'\"]*)*@"
    r"|[^/?#\s@:]*:(?!\d{1,5}[/?#])\S*@)"
)

#: The query of a URL, which may hold a token or a signature. A quote ends it where no word goes on behind it.
_QUERY = re.compile(r"(://[^\s?#'\"`<>]*\?)(?:[^\s#'\"`<>]|['\"`](?=\w))+")

#: Parameters of a query that say which file is meant, or how it is sent. Any other may be a secret.
_PUBLIC = frozenset(
    {"alt", "dl", "download", "filename", "format", "inline", "job", "path", "raw", "ref", "ref_type", "version"}
)

#: An authority with what may be a port, followed by an "@" that may end a login with signs that were not escaped.
_UNESCAPED = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*:\d{1,5}(?:[/?#][^@]*[^@/])?@[A-Za-z0-9.-]+(?::\d+)?(?:[/?#]|$)"
)

#: The parts of a URL as far as they matter here. urlsplit() refuses some passwords that uv takes.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?:(?P<userinfo>[^/?#]*)@)?(?P<rest>.*)", re.DOTALL)

#: The variables with the password of an index.
_PASSWORD = re.compile(r"UV_INDEX_[A-Z0-9_]+_PASSWORD")

#: How long a keyring may take, which may ask its user first, in seconds.
_PATIENCE = 120

#: A shorter secret is also a word, which cannot be told from others in a text.
_SHORTEST_SECRET = 4

#: Scheme, host and port: what a login belongs to.
Origin = tuple[str, str, int | None]
Login = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class NamedIndex:
    """A package index as uv has it: a URL, perhaps a name that environment variables know it by."""

    url: str = field(repr=False)
    name: str | None = None

    @classmethod
    def parse(cls, text: str) -> NamedIndex:
        """Read ``URL`` or ``NAME=URL``."""
        match = _NAMED.fullmatch(text)
        return cls(url=match["url"], name=match["name"]) if match else cls(url=text)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Logins by the origin they belong to.

    Attributes:
        logins: user and password by scheme, host and port; a login that came first was kept.
        users: the indexes that are said to have a user and not the password, likewise: URL and user.
        keyring: whether the program ``keyring`` is asked for the passwords of these.
        netrc_file: where to look for hosts that have none of their own.
    """

    logins: Mapping[Origin, Login] = field(default_factory=dict, repr=False)
    users: Mapping[Origin, tuple[str, str]] = field(default_factory=dict, repr=False)
    keyring: bool = False
    netrc_file: netrc.netrc | None = field(default=None, repr=False)
    _asked: dict[Origin, str | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_environment(
        cls,
        urls: Iterable[str] = (),
        indexes: Iterable[NamedIndex] = (),
        environ: Mapping[str, str] | None = None,
        *,
        keyring: bool = False,
    ) -> Credentials:
        """Gather every login there is, in this order: the input's URLs, the indexes', ``UV_INDEX_*``, uv's own, netrc.

        Args:
            urls: URLs with user information, as the input has them (``Inputs.urls_with_login``).
            indexes: the indexes of the command line and of ``pyproject.toml``.
            environ: environment variables; those of the process where it is None.
            keyring: whether the program ``keyring`` is asked for passwords that are said nowhere.
        """
        environ = os.environ if environ is None else environ
        from_variables = [
            NamedIndex.parse(part)
            for name in INDEX_VARIABLES
            for part in re.split(r"[\s,]+" if name == "UV_FIND_LINKS" else r"\s+", environ.get(name, ""))
        ]
        logins: dict[Origin, Login] = {}
        users: dict[Origin, tuple[str, str]] = {}
        every = [*(NamedIndex(url=url) for url in urls), *indexes, *from_variables]
        for index in every:
            login = _variables_login(index.name, environ) or _userinfo(index.url)
            if login is None or (origin := _origin(index.url)) is None:
                continue
            if login[0] and not login[1]:
                users.setdefault(origin, (without_credentials(index.url), login[0]))
            else:
                logins.setdefault(origin, login)
        for url, login in _stored(environ):
            if (origin := _origin(url)) is not None:
                logins.setdefault(origin, login)
        return cls(logins=logins, users=users, keyring=keyring, netrc_file=_netrc(environ))

    def login(self, url: str) -> Login | None:
        """Return user and password for a URL, None where it needs none that is known."""
        origin = _origin(url)
        if origin is None:
            return None
        if origin in self.logins:
            return self.logins[origin]
        found = self.netrc_file.authenticators(origin[1]) if self.netrc_file else None
        login = (found[0] or found[1], found[2] or "") if found else None
        if origin not in self.users:
            return login
        index, user = self.users[origin]
        if login is not None and login[0] == user:
            return login
        return user, self._from_keyring(origin, index, user) or ""

    def authorization(self, url: str) -> str | None:
        """Return the header ``Authorization`` for a URL, None where it needs none that is known."""
        login = self.login(url)
        return None if login is None else f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"

    def _from_keyring(self, origin: Origin, index: str, user: str) -> str | None:
        """Ask ``keyring`` for a password, as uv does: for the index, then for its host; once."""
        if self.keyring and origin not in self._asked:
            scheme, host, port = origin
            place = host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
            answers = (_ask_keyring(service, user) for service in (index, place))
            self._asked[origin] = next((password for password in answers if password), None)
        return self._asked.get(origin)

    def auth(self) -> httpx.Auth | None:
        """Return what a client needs to log in, None where no login is known at all."""
        from nixgen.wheels.connections import OriginAuth

        return OriginAuth(self) if self.logins or self.users or self.netrc_file else None


def without_credentials(url: str) -> str:
    """Return a URL without user and password, fit for a lock."""
    match = _URL.fullmatch(url)
    return match["scheme"] + match["rest"] if match else url


def public_url(url: str) -> str:
    """Return a URL that everybody may read: without login and fragment, and of its query what is no secret.

    Raises:
        ValueError: it is no URL of a server, or has a login whose signs are not escaped, which nobody reads as one.
    """
    url = without_credentials(url).partition("#")[0]
    parts = urlsplit(url)
    if not parts.hostname or (parts.port is None and parts.netloc.endswith(":")):
        raise ValueError("there is no host")
    place, _, query = url.partition("?")
    kept = "&".join(item for item in query.split("&") if item.partition("=")[0] in _PUBLIC)
    return f"{place}?{kept}" if kept else place


def has_unescaped_login(url: str) -> bool:
    """Tell whether a URL looks as if it had a login with a "/", "?" or "#", which are to be escaped there."""
    return _UNESCAPED.match(url) is not None


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without what is secret: user information and query of every URL in it, and some words.

    Args:
        text: a message.
        secrets: words that are secret wherever they stand.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "****")
    return _QUERY.sub(r"\1****", _USERINFO.sub("****@", text))


def secrets_of(environ: Mapping[str, str]) -> set[str]:
    """Return the passwords and queries of the indexes that environment variables name, as they are and decoded."""
    found: set[str] = set()
    for name in INDEX_VARIABLES:
        for part in re.split(r"[\s,]+" if name == "UV_FIND_LINKS" else r"\s+", environ.get(name, "")):
            login, query = _userinfo(part), part.partition("?")[2].partition("#")[0]
            match = _USERINFO.search(part)
            raw = match[0].removesuffix("@") if match else ""
            found |= {raw, raw.partition(":")[2], unquote(raw.partition(":")[2]), login[1] if login else "", query}
    found |= {value for name, value in environ.items() if _PASSWORD.fullmatch(name)}
    return {secret for secret in found if len(secret) >= _SHORTEST_SECRET}


def has_login(url: str) -> bool:
    """Tell whether a URL carries user information."""
    return _userinfo(url) is not None


def may_hold_secret(url: str) -> bool:
    """Tell whether a URL carries user information or a query, which may be a token."""
    return "://" in url and ("@" in url or "?" in url)


def _userinfo(url: str) -> Login | None:
    match = _URL.search(url)
    if match is None or match["userinfo"] is None:
        return None
    user, _, password = match["userinfo"].partition(":")
    return unquote(user), unquote(password)


def _origin(url: str) -> Origin | None:
    try:
        parts = urlsplit(without_credentials(url))
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:  # a port that is no number
        return None
    if scheme not in _DEFAULT_PORTS or host is None:
        return None
    return scheme, host, port or _DEFAULT_PORTS[scheme]


def _variables_login(name: str | None, environ: Mapping[str, str]) -> Login | None:
    """Return ``UV_INDEX_<NAME>_USERNAME`` and ``_PASSWORD``, as uv spells the name."""
    if name is None:
        return None
    variable = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = environ.get(f"{variable}_USERNAME"), environ.get(f"{variable}_PASSWORD")
    return None if user is None and password is None else (user or "", password or "")


def _ask_keyring(service: str, user: str) -> str | None:
    try:
        done = subprocess.run(
            ["keyring", "get", service, user],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.rstrip("\r\n") if done.returncode == 0 else None


def _stored(environ: Mapping[str, str]) -> Iterator[tuple[str, Login]]:
    """Yield what ``uv auth login`` keeps in its file: a service's URL with its login."""
    home = Path(environ.get("HOME", "~")).expanduser()
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    directory = Path(environ.get("UV_CREDENTIALS_DIR") or data / "uv" / "credentials")
    try:
        entries = tomllib.loads((directory / "credentials.toml").read_text(encoding="utf-8")).get("credential", [])
    except (OSError, ValueError):
        return
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("password"), str):
            yield str(entry.get("service", "")), (str(entry.get("username") or "__token__"), entry["password"])


def _netrc(environ: Mapping[str, str]) -> netrc.netrc | None:
    given = environ.get("NETRC")
    path = Path(given) if given else Path(environ.get("HOME", "~")).expanduser() / ".netrc"
    try:
        return netrc.netrc(path)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None  # as pip and uv do: a netrc that cannot be read is none
