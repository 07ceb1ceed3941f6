"""Another index, which has what the locks lack: its pages, and METADATA of its files."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from nixgen.access import Access
from nixgen.errors import NetworkError, VerificationError
from nixgen.serving.projects import Offer
from nixgen.wheelhouse.wanted import Wanted
from nixgen.wheels.answers import shown
from nixgen.wheels.retry import Retry
from nixgen.wheels.transport import Page, Transport

_log = logging.getLogger(__name__)

#: How long a page is taken for what the index says, in seconds; PyPI lets it be kept for ten minutes.
_FRESH = 60.0

#: How long a page may take, in seconds: pip waits for 15 seconds.
_PATIENCE = 10.0

#: How long an index that did not answer is not asked, in seconds.
_AWAY = 10.0

#: The largest page that is read, and how much of pages is kept, in bytes.
_MOST, _KEPT = 64 << 20, 64 << 20

#: What is passed on of what an index says of a file.
_DETAILS = ("requires-python", "size", "upload-time", "yanked")

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class _Known:
    offers: tuple[Offer, ...]
    size: int
    since: float


class Upstream:
    """The index; used as a context.

    Args:
        url: of its pages, as installers take it (``…/simple``); a login in it is used, and shown to nobody.
        access: how it is reached.
        clock: gives the time in seconds; a test passes its own.
    """

    def __init__(self, url: str, access: Access, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self._pages = Transport(access=access, timeout=min(_PATIENCE, access.timeout), retry=Retry(tries=2))
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[tuple[Offer, ...]]] = {}
        self._away_until = 0.0

    @property
    def shown(self) -> str:
        """Its URL, for messages."""
        return shown(self._url)

    async def __aenter__(self) -> Self:
        await self._pages.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._asking.values():
            task.cancel()
        await self._pages.__aexit__(kind, error, trace)

    async def offers(self, name: str) -> tuple[Offer, ...]:
        """Return the files of a project, none where the index does not have it; who asks at once waits for one answer.

        Args:
            name: normalized.

        Raises:
            NetworkError: the index does not say.
        """
        known = self._known.get(name)
        if known is not None and self._clock() - known.since < _FRESH:
            self._known.move_to_end(name)
            return known.offers
        task = self._asking.get(name)
        if task is None:
            if self._clock() < self._away_until:
                raise NetworkError("the index did not answer a moment ago", where=self.shown)
            task = self._asking[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda done: self._asked(name, done))
        # Whoever goes away while he waits does not take the answer from the others.
        return await asyncio.shield(task)

    async def metadata(self, offer: Offer) -> bytes:
        """Return METADATA of a file that the index has by itself.

        Raises:
            NetworkError: the index does not give it.
            VerificationError: it gives another.
        """
        assert offer.wanted is not None and offer.wanted.url is not None
        url = f"{offer.wanted.url}.metadata"
        content = (await self._pages.page(url, "*/*", _MOST)).content
        if hashlib.sha256(content).hexdigest() != offer.metadata:
            raise VerificationError(f"the METADATA of {offer.filename} has another SHA-256", where=shown(url))
        return content

    def _asked(self, name: str, task: asyncio.Task[tuple[Offer, ...]]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, NetworkError) and error.status is None:
                self._away_until = self._clock() + _AWAY
            _log.warning("%s says nothing of %s: %s", self.shown, name, error)

    async def _ask(self, name: str) -> tuple[Offer, ...]:
        from mousebender.simple import ACCEPT_SUPPORTED

        try:
            async with asyncio.timeout(_PATIENCE):
                page = await self._pages.page(f"{self._url}/{name}/", ACCEPT_SUPPORTED, _MOST)
        except TimeoutError as error:
            raise NetworkError(f"no answer in {_PATIENCE:.0f} seconds", where=self.shown) from error
        except NetworkError as error:
            if error.status not in (404, 410):
                raise
            offers: tuple[Offer, ...] = ()
            size = 0
        else:
            offers = await asyncio.to_thread(_read, name, page)
            size = len(page.content)
        self._known[name] = _Known(offers=offers, size=size + 1000, since=self._clock())
        while sum(known.size for known in self._known.values()) > _KEPT and len(self._known) > 1:
            self._known.popitem(last=False)
        return offers


def _read(name: str, page: Page) -> tuple[Offer, ...]:
    """Read the page of a project.

    Raises:
        NetworkError: it is none.
    """
    from mousebender import simple

    where = shown(page.url)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", simple.APIVersionWarning)
            read: Any = simple.parse_project_details(page.content.decode("utf-8"), page.kind, name)
            return tuple(offer for file in read["files"] if (offer := _offer(file, page.url)) is not None)
    except (simple.UnsupportedAPIVersion, simple.UnsupportedMIMEType) as error:
        raise NetworkError(f"a page of the index is of a kind that is not known: {error}", where=where) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NetworkError(f"a page of the index makes no sense: {error!r}", where=where) from error


def _offer(file: dict[str, Any], page: str) -> Offer | None:
    """Return what a page says of a file; None where that makes no sense."""
    filename, url = file["filename"], urljoin(page, file["url"])
    hashes = {str(key): str(value).lower() for key, value in file.get("hashes", {}).items()}
    if not isinstance(filename, str) or re.search(r"[/\\\0-\x1f]", filename) or filename in ("", ".", ".."):
        return None
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    details = {"filename": filename, "hashes": hashes, **{key: file[key] for key in _DETAILS if file.get(key)}}
    if type(details.get("size", 0)) is not int:
        del details["size"]
    said = file.get("core-metadata", file.get("dist-info-metadata"))
    if isinstance(said, dict) and _SHA256.fullmatch(str(said.get("sha256"))):
        details["core-metadata"] = {"sha256": said["sha256"]}
    sha256 = hashes.get("sha256", "")
    if not _SHA256.fullmatch(sha256):
        # What cannot be compared is not ours to give, nor METADATA that is found beside our URL.
        details.pop("core-metadata", None)
        return Offer(details=details, wanted=None, url=url)
    url = url.partition("#")[0]
    return Offer(details=details, wanted=Wanted(filename=filename, sha256=sha256, size=details.get("size"), url=url))
