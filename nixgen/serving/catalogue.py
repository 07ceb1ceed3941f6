"""Which projects and files there are: those of the locks, and what an index beyond them has."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from email.parser import HeaderParser
from typing import Any

from nixgen.errors import NetworkError
from nixgen.metadata import find_metadata
from nixgen.serving.projects import Offer, project_of
from nixgen.serving.upstream import Upstream
from nixgen.wheelhouse.wanted import Wanted

_log = logging.getLogger(__name__)


class Catalogue:
    """What can be asked for.

    Args:
        wheels: those of the locks.
        upstream: the index beyond them; None for none.
    """

    def __init__(self, wheels: Iterable[Wanted], upstream: Upstream | None) -> None:
        self._own: dict[str, dict[str, Wanted]] = {}
        for wheel in wheels:
            name = project_of(wheel.filename)
            if name is None:
                _log.warning("%s has no name that installers ask for, and is not served", wheel.filename)
                continue
            known = self._own.setdefault(name, {}).setdefault(wheel.filename, wheel)
            if known.sha256 != wheel.sha256:
                _log.warning("two locks have different wheels called %s: the first is served", wheel.filename)
        self._upstream = upstream
        self._described: dict[str, Offer] = {}

    @property
    def names(self) -> list[str]:
        """The projects of the locks, sorted."""
        return sorted(self._own)

    async def offers(self, name: str) -> list[Offer]:
        """Return the files of a project, none where nobody has it.

        Of a project that both have, the index beyond has the word, and knows more of each file. Where it has none of
        the locks' files, it has another project of that name, which must not come in its place.

        Args:
            name: normalized.

        Raises:
            NetworkError: the index beyond does not say, and the locks have none of it.
        """
        own = {offer.filename: offer for offer in self._own_offers(name)}
        if self._upstream is None:
            return list(own.values())
        try:
            theirs = {offer.filename: offer for offer in await self._upstream.offers(name)}
        except NetworkError:
            if not own:
                raise
            return list(own.values())
        both = [filename for filename in own if filename in theirs and _same(own[filename], theirs[filename])]
        if own and not both:
            return list(own.values())
        return [*(theirs | {filename: _joined(own[filename], theirs[filename]) for filename in both}).values()]

    async def find(self, sha256: str, filename: str) -> Offer | None:
        """Return a file by its hash and name, None where there is none such.

        Raises:
            NetworkError: as ``offers``.
        """
        name = project_of(filename)
        if name is None:
            return None
        own = self._own.get(name, {}).get(filename)
        if own is not None and own.sha256 == sha256:
            return self._describe(own)
        for offer in await self.offers(name):
            if offer.filename == filename and offer.wanted is not None and offer.wanted.sha256 == sha256:
                return offer
        return None

    async def metadata(self, offer: Offer) -> bytes | None:
        """Return METADATA of a file, which has the hash that its project's page says; None where nobody has it.

        Raises:
            NetworkError, VerificationError: as ``Upstream.metadata``.
        """
        if offer.wanted is None or offer.metadata is None:
            return None
        index = offer.wanted.find_index()
        content = None if index is None else find_metadata(index)
        if content is not None and hashlib.sha256(content).hexdigest() == offer.metadata:
            return content
        if self._upstream is None or offer.wanted.url is None:
            return None
        return await self._upstream.metadata(offer)

    def _own_offers(self, name: str) -> list[Offer]:
        return [self._describe(wheel) for _, wheel in sorted(self._own.get(name, {}).items())]

    def _describe(self, wheel: Wanted) -> Offer:
        """Return what the wheel's METADATA says of it, if this machine has it."""
        offer = self._described.get(wheel.filename)
        if offer is None:
            details: dict[str, Any] = {"filename": wheel.filename, "hashes": {"sha256": wheel.sha256}}
            if wheel.size is not None:
                details["size"] = wheel.size
            index = wheel.find_index()
            content = None if index is None else find_metadata(index)
            offer = Offer(details=details, wanted=wheel)
            if content is None:
                return offer  # it may be there the next time
            python = HeaderParser().parsestr(content.decode("utf-8", "replace")).get("Requires-Python")
            details["core-metadata"] = {"sha256": hashlib.sha256(content).hexdigest()}
            if python:
                details["requires-python"] = str(python)
            self._described[wheel.filename] = offer
        return offer


def _same(own: Offer, theirs: Offer) -> bool:
    assert own.wanted is not None
    same = theirs.wanted is not None and theirs.wanted.sha256 == own.wanted.sha256
    if not same:
        _log.warning("%s is another file in the index than in the lock", own.filename)
    return same


def _joined(own: Offer, theirs: Offer) -> Offer:
    assert own.wanted is not None and theirs.wanted is not None
    wanted = replace(own.wanted, url=own.wanted.url or theirs.wanted.url)
    return Offer(details={**own.details, **theirs.details}, wanted=wanted)
