"""What uv is told beside its command line, as far as it matters to reach a server: variables and settings files.

What lets uv through has to let nixgen's own downloads through, so that they read what uv reads.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixgen.credentials import NamedIndex

#: What uv takes for true in a variable, as pip does.
TRUE = frozenset(["1", "on", "t", "true", "y", "yes"])

#: The names of its timeout, in seconds; the first that is there counts.
_TIMEOUTS = ("UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT")

#: Keys whose value is an index or a list of them.
_INDEXES = ("index", "index-url", "extra-index-url", "find-links")


@dataclass(frozen=True, kw_only=True)
class UvSettings:
    """What is said.

    Attributes:
        indexes: package indexes of the settings files; those of variables are in ``credentials.INDEX_VARIABLES``.
        keyring: whether the program ``keyring`` is asked for passwords.
        system_certificates: whether the machine's own roots are trusted, and not the bundled ones.
        insecure_hosts: whose certificates are not checked: ``HOST``, ``HOST:PORT``, ``SCHEME://HOST`` or ``*``.
        require_hashes: whether ``uv pip`` wants a hash of every package.
        python_mirror: the root of the archives of Pythons, in place of their own.
        proxies: the proxy by scheme (``http``, ``https``), and under ``no`` the hosts that need none.
        timeout: seconds without any progress after which a request has failed.
    """

    indexes: tuple[NamedIndex, ...] = field(default=(), repr=False)
    keyring: bool = False
    system_certificates: bool = False
    insecure_hosts: tuple[str, ...] = ()
    require_hashes: bool = False
    python_mirror: str | None = field(default=None, repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0

    @classmethod
    def read(cls, base: Path, environ: Mapping[str, str] | None = None) -> UvSettings:
        """Read what uv would, running in a directory; files that cannot be read say nothing.

        The variables come first, then the project's ``uv.toml`` or ``[tool.uv]``, the user's and the machine's
        ``uv.toml`` (uv's manual, "Configuration files").

        Args:
            base: the directory.
            environ: environment variables; those of the process where it is None.
        """
        environ = os.environ if environ is None else environ
        tables = [table for path in _files(base, environ) for table in _tables(path)]

        def first(*keys: str) -> Any:
            return next((table[key] for table in tables for key in keys if key in table), None)

        variable = next((value for name in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS") if (value := environ.get(name))), None)
        hosts = re.split(r"[\s,]+", environ.get("UV_INSECURE_HOST", "").strip())
        proxies = {name: first(f"{name}-proxy") for name in ("http", "https", "no")}
        no_proxy = proxies["no"]
        return cls(
            indexes=tuple(index for table in tables for index in _indexes(table)),
            keyring=(environ.get("UV_KEYRING_PROVIDER") or first("keyring-provider")) == "subprocess",
            system_certificates=variable.lower() in TRUE if variable else first("system-certs", "native-tls") is True,
            insecure_hosts=tuple(
                dict.fromkeys(
                    [
                        *filter(None, hosts),
                        *(str(host) for table in tables for host in _list(table.get("allow-insecure-host"))),
                    ]
                )
            ),
            require_hashes=first("require-hashes") is True,
            python_mirror=environ.get("UV_PYTHON_INSTALL_MIRROR") or _text(first("python-install-mirror")),
            proxies={name: str(value) for name, value in proxies.items() if isinstance(value, str)}
            | ({"no": ",".join(map(str, no_proxy))} if isinstance(no_proxy, list) else {}),
            timeout=next(filter(None, (_seconds(environ.get(name, "")) for name in _TIMEOUTS)), cls.timeout),
        )


def _files(base: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the settings files that count for a directory, the first first."""
    if environ.get("UV_NO_CONFIG", "").lower() in TRUE:
        return
    if given := environ.get("UV_CONFIG_FILE"):
        yield Path(given)
        return
    nearest = True
    for directory in (base.absolute(), *base.absolute().parents):
        own, project = directory / "uv.toml", directory / "pyproject.toml"
        table = next(iter(_tables(project)), None)
        if (own.is_file() or table is not None) and (nearest or "workspace" in (table or {})):
            nearest = False
            yield own if own.is_file() else project
    home = Path(environ.get("HOME", "~")).expanduser()
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    for text in filter(None, (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(text) / "uv" / "uv.toml"
    yield Path("/etc/uv/uv.toml")


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _tables(path: Path) -> list[dict[str, Any]]:
    """Return uv's table of a file, and its table of what concerns ``uv pip``."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if path.name == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get("uv") if isinstance(tool, dict) else None  # type: ignore[assignment]
    if not isinstance(data, dict):
        return []
    pip = data.get("pip")
    return [data, pip] if isinstance(pip, dict) else [data]


def _indexes(table: Mapping[str, Any]) -> Iterator[NamedIndex]:
    for key in _INDEXES:
        for item in _list(table.get(key)):
            if isinstance(item, dict) and isinstance(item.get("url"), str):
                name = item.get("name")
                yield NamedIndex(url=item["url"], name=name if isinstance(name, str) else None)
            elif isinstance(item, str):
                yield NamedIndex(url=item)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
