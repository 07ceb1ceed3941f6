"""From where wheels are fetched in place of the URLs of the lock, which stays as it is: every file has its hash."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nixgen.credentials import has_login, without_credentials
from nixgen.errors import InputError

#: Names mirrors, separated by white space; nix/lock.nix reads it too.
VARIABLE = "NIXGEN_MIRROR"

_MIRROR = re.compile(r"(?:(?P<prefix>https?://[^=\s]+)=)?(?P<root>https?://[^=\s]+)")
_HOST = re.compile(r"https?://[^/]*")


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """Another root for some URLs.

    Attributes:
        root: what stands in place of the prefix, without a slash at its end; it may carry a login.
        prefix: what the URLs begin with, likewise; empty for scheme and host of every URL.
    """

    root: str = field(repr=False)
    prefix: str = ""

    @classmethod
    def parse(cls, text: str, *, where: str) -> Mirror:
        """Read ``ROOT`` or ``PREFIX=ROOT``.

        Args:
            text: a mirror as a user names it.
            where: who said so, for the message.

        Raises:
            InputError: it is neither.
        """
        match = _MIRROR.fullmatch(text)
        if match is None:
            raise InputError(
                "this is no mirror",
                where=where,
                todo="give the URL of its root, as https://mirror.example.org/pypi, or what it stands for and its "
                "root: https://files.example.org=https://mirror.example.org/files",
            )
        return cls(root=match["root"].rstrip("/"), prefix=(match["prefix"] or "").rstrip("/"))

    def of(self, url: str) -> str | None:
        """Return where the file of a URL is, without a login; None where the mirror is for other URLs."""
        if self.prefix:
            rest = url.removeprefix(self.prefix)
            if not url.startswith(self.prefix) or rest[:1] not in ("", "/"):
                return None
        else:
            rest = _HOST.sub("", url, count=1)
        return without_credentials(self.root) + rest


def mirrors_of(said: Iterable[str], *, where: str) -> tuple[Mirror, ...]:
    """Return the mirrors that texts name, those for the longest prefixes first.

    Raises:
        InputError: one cannot be read.
    """
    found = [Mirror.parse(text, where=where) for text in said]
    return tuple(sorted(found, key=lambda mirror: -len(mirror.prefix)))


def mirrors_of_environment() -> tuple[Mirror, ...] | None:
    """Return the mirrors of the variable; None where there is none.

    Raises:
        InputError: one cannot be read.
    """
    said = os.environ.get(VARIABLE, "").split()
    return mirrors_of(said, where=VARIABLE) if said else None


def mirrored(url: str, mirrors: Iterable[Mirror]) -> str:
    """Return where the file of a URL is fetched: at the first mirror that is for it, else there."""
    return next((found for mirror in mirrors if (found := mirror.of(url)) is not None), url)


def logins(mirrors: Iterable[Mirror]) -> list[str]:
    """Return the roots that carry a login."""
    return [mirror.root for mirror in mirrors if has_login(mirror.root)]
