"""When a request is worth another try, and how long to wait before it."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

#: Answers that may differ next time; 501 says that they never will.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, *range(505, 600)})


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often and how patiently to try.

    Attributes:
        tries: requests in all, at least one.
        base: the wait before the second try, in seconds; it doubles with each further one.
        most: the longest wait, in seconds; what a server asks for is cut to it.
        jitter: gives a number from 0 to 1 that stretches a wait by up to that much.
    """

    tries: int = 4
    base: float = 0.5
    most: float = 60.0
    jitter: Callable[[], float] = random.random

    def wait(self, failed: int, response: httpx.Response | None = None) -> float:
        """Give the seconds to wait after ``failed`` tries: what Retry-After asks for, or the backoff."""
        asked = retry_after(response.headers.get("Retry-After", "")) if response is not None else None
        if asked is not None:
            return min(asked, self.most)
        return min(self.base * 2.0 ** (failed - 1) * (1 + self.jitter()), self.most)


def is_transient(status: int) -> bool:
    """Tell whether an HTTP status may be another one when asked again."""
    return status in _TRANSIENT


def retry_after(value: str) -> float | None:
    """Read a Retry-After field, a number of seconds or a date, as seconds from now; None where it is neither.

    Source: RFC 9110, section 10.2.3.
    """
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
