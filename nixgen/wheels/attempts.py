"""Tries of a request: which ones are worth another, and what is said of the last."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from nixgen.errors import MachineError, NetworkError
from nixgen.mistakes import limit, mistake
from nixgen.wheels.answers import StatusError, shown
from nixgen.wheels.retry import Retry, is_transient

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: A wait between two tries that a user is told of, in seconds.
_WORTH_SAYING = 3.0

#: The fewest bytes that are to come in a second, on the average of the time that a request may take without progress.
_SLOWEST = 100


class IncompleteError(Exception):
    """A body ended early, or is longer than announced: worth another try."""


class Pace:
    """How fast a body comes: some server sends a byte a second, and never lets a request run out of time.

    Args:
        seconds: how long it may come more slowly than anybody waits for.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = time.monotonic()
        self._count = 0

    def came(self, count: int) -> None:
        """Count bytes.

        Raises:
            IncompleteError: too few have come.
        """
        self._count += count
        passed = time.monotonic() - self._since
        if passed >= self._seconds:
            if self._count < _SLOWEST * passed:
                raise IncompleteError(f"only {self._count} bytes came in {passed:.0f} seconds")
            self._since, self._count = time.monotonic(), 0


async def repeated(
    url: str, attempt: Callable[[], Awaitable[T]], retry: Retry, sleep: Callable[[float], Awaitable[None]]
) -> T:
    """Make a request, and make it again as long as that is worth it.

    Args:
        url: what is said of it where it fails.
        attempt: one try.
        retry: how often and how patiently.
        sleep: waits between tries.

    Raises:
        NetworkError: the last try failed; with the status of its answer, where there was one.
        MachineError: what arrives cannot be stored.
    """
    failed = 0
    while True:
        response = None
        try:
            return await attempt()
        except StatusError as error:
            response = error.response
            failure = NetworkError(error.what, where=shown(url), todo=error.todo)
            failure.status = response.status_code
            retriable = is_transient(response.status_code)
        except (httpx.TransportError, IncompleteError) as error:
            if (refused := limit(error)) is not None:
                raise refused from error
            said = str(error) or type(error).__name__
            failure = NetworkError(
                f"the download failed: {said}",
                where=shown(url),
                todo="check the connection and the proxy settings, then try again",
            )
            retriable = not isinstance(error, httpx.UnsupportedProtocol)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = NetworkError(
                f"the download failed: {type(error).__name__}",
                where=shown(url),
                todo="check the URL in the lock or the index it came from",
            )
            retriable = False
        except OSError as error:
            raise mistake(error) or MachineError(
                f"cannot store a download: {error.strerror or error}",
                where=error.filename,
                todo="make room there, or set TMPDIR to a directory with room",
            ) from error
        failed += 1
        if not retriable or failed >= retry.tries:
            raise failure
        wait = retry.wait(failed, response)
        if wait >= _WORTH_SAYING:
            asked = " (as its Retry-After asks)" if response is not None and "Retry-After" in response.headers else ""
            _log.warning("%s at %s; trying again in %.0f s%s", failure.what, failure.where, wait, asked)
        await sleep(wait)
