"""What inputs say of the wheels' URLs that a lock does not hold, since everybody may read it: logins and tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from nixgen.access import Access
from nixgen.credentials import Credentials, public_url, without_credentials
from nixgen.errors import NixgenError
from nixgen.inputs import Inputs
from nixgen.model import WheelSource


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secrets of some inputs.

    Attributes:
        credentials: every login that there is while locking.
        later: those that there will be while building.
        shortened: the URLs, as the lock has them, that have lost a part of their query.
    """

    credentials: Credentials = field(repr=False)
    later: Credentials = field(repr=False)
    shortened: frozenset[str]

    @classmethod
    def of(cls, read: Inputs, credentials: Credentials, base: Path) -> Secrets:
        """Gather the secrets of what was read for a project.

        Args:
            read: the inputs.
            credentials: every login that there is.
            base: the project's directory.
        """
        urls = (url for url in read.urls_with_login if without_credentials(url).partition("#")[0] != public_url(url))
        return cls(
            credentials=credentials,
            later=Access.of_project(base).credentials,
            shortened=frozenset(map(public_url, urls)),
        )

    def notes(self, wheels: Mapping[str, WheelSource]) -> list[str]:
        """Return what a user should know of the secrets that are not in the lock, one line each.

        Args:
            wheels: the wheels of the lock, by file name.
        """
        notes = []
        needed = {
            urlsplit(url).netloc
            for url in filter(None, map(_url, wheels.values()))
            if self.credentials.login(url) is not None and self.later.login(url) is None
        }
        if needed:
            notes.append(
                f"the login for {', '.join(sorted(needed))} is not in the lock: `nixgen build` takes it from netrc, or "
                "from UV_INDEX_NAME_USERNAME and UV_INDEX_NAME_PASSWORD for an index in pyproject.toml, and "
                "`nix-build` from Nix's netrc-file"
            )
        if shortened := sorted(self._shortened(wheels.values())):
            notes.append(
                f"what the query of the URL of {', '.join(shortened)} says may be a secret and is not in the lock: "
                "the file is read without it"
            )
        return notes

    def explain(self, error: NixgenError, wheels: Mapping[str, WheelSource]) -> None:
        """Say in an error of reading wheels what to do where a query may be what the server missed."""
        if shortened := sorted(self._shortened(wheels.values())):
            error.todo = (
                f"{error.todo or 'see above'}; if it is {', '.join(shortened)}, whose URL has lost its query: "
                "use a login (netrc) in place of a token, or download the wheel and give its path"
            )

    def _shortened(self, wheels: Iterable[WheelSource]) -> set[str]:
        return {wheel.filename for wheel in wheels if _url(wheel) in self.shortened}


def _url(wheel: WheelSource) -> str | None:
    """Return where a wheel is downloaded from, or what it is built of; None for neither."""
    return wheel.url or (wheel.source.url if wheel.source is not None else None)
