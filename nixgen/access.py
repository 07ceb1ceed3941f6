"""How servers are reached: with which logins, by which connections, and at which mirror."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixgen.credentials import Credentials, NamedIndex
from nixgen.mirrors import Mirror, logins, mirrors_of, mirrors_of_environment
from nixgen.settings import Settings
from nixgen.uv_settings import UvSettings
from nixgen.wheels.trust import Proxies, Trust


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a client needs.

    Attributes:
        credentials: the logins that it takes.
        trust: whose certificates are believed.
        proxies: whom requests go through.
        mirrors: from where files are fetched in place of their URLs.
        timeout: seconds without any progress after which a request has failed.
    """

    credentials: Credentials = field(default_factory=Credentials, repr=False)
    trust: Trust = field(default_factory=Trust)
    proxies: Proxies = field(default_factory=Proxies)
    mirrors: tuple[Mirror, ...] = ()
    timeout: float = UvSettings.timeout

    @classmethod
    def of_project(
        cls,
        base: Path,
        *,
        urls: Iterable[str] = (),
        indexes: Iterable[NamedIndex] = (),
        keyring: bool | None = None,
        mirrors: Sequence[str] = (),
    ) -> Access:
        """Gather what the environment, netrc, uv's settings and the project's own files say.

        Args:
            base: the project's directory.
            urls: URLs with user information, as the input has them (``Inputs.urls_with_login``).
            indexes: further indexes, of the command line.
            keyring: whether the program ``keyring`` is asked for passwords; None as uv's settings say.
            mirrors: mirrors of the command line; where there are none, the environment's count, then the project's.

        Raises:
            InputError: a mirror is none, or ``[tool.nixgen]`` cannot be read.
        """
        settings = UvSettings.read(base)
        found = mirrors_of(mirrors, where="--mirror") or mirrors_of_environment()
        if found is None:
            found = Settings.read(base / "pyproject.toml").mirrors
        credentials = Credentials.from_environment(
            [*logins(found), *urls],
            [*indexes, *settings.indexes, *sources_of(base)],
            keyring=settings.keyring if keyring is None else keyring,
        )
        return cls(
            credentials=credentials,
            trust=Trust.from_environment(settings),
            proxies=Proxies.from_environment(settings),
            mirrors=found,
            timeout=settings.timeout,
        )


def sources_of(base: Path) -> Iterator[NamedIndex]:
    """Yield the indexes that Poetry, PDM and Pipenv take packages of a project from.

    Args:
        base: its directory; files that are not there or cannot be read say nothing.
    """
    tool: Any = _read(base / "pyproject.toml", tomllib.loads).get("tool")
    tables = [tool.get(name) for name in ("poetry", "pdm")] if isinstance(tool, dict) else []
    meta = _read(base / "Pipfile.lock", json.loads).get("_meta")
    found = [source for table in tables if isinstance(table, dict) for source in _list(table.get("source"))]
    found += _list(meta.get("sources")) if isinstance(meta, dict) else []
    for source in found:
        if isinstance(source, dict) and isinstance(source.get("url"), str):
            yield NamedIndex(url=os.path.expandvars(source["url"]), name=str(source.get("name", "")) or None)


def _read(path: Path, parse: Any) -> dict[str, Any]:
    try:
        data = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
