"""When to try again, and after how long."""

from __future__ import annotations

import email.utils
import time

import httpx
import pytest

from nixgen.wheels.retry import Retry, is_transient, retry_after


def test_the_wait_doubles_up_to_its_bound() -> None:
    """Without a word of the server the wait doubles with every failed try, up to the longest one."""
    retry = Retry(base=1.0, most=5.0, jitter=lambda: 0.0)
    assert [retry.wait(failed) for failed in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 5.0]


def test_jitter_stretches_the_wait() -> None:
    """Jitter lengthens a wait by up to itself, so that many clients do not come back at once."""
    assert Retry(base=1.0, jitter=lambda: 0.5).wait(1) == 1.5


def test_the_server_may_ask_for_a_wait() -> None:
    """Retry-After is honoured, but never beyond the longest wait."""
    retry = Retry(most=5.0)
    assert retry.wait(1, httpx.Response(503, headers={"Retry-After": "3"})) == 3.0
    assert retry.wait(1, httpx.Response(503, headers={"Retry-After": "86400"})) == 5.0


def test_retry_after_may_be_a_date() -> None:
    """A date in Retry-After is a wait from now; one in the past is none; nonsense is ignored."""
    soon = retry_after(email.utils.formatdate(time.time() + 30, usegmt=True))
    assert soon is not None
    assert 25 < soon <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("soon") is None
    assert retry_after("") is None


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        *((status, True) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
        *((status, False) for status in (200, 401, 403, 404, 416, 501)),
    ],
)
def test_only_some_statuses_are_transient(status: int, transient: bool) -> None:
    """Overload and server errors are worth another try, refusals are not."""
    assert is_transient(status) is transient
