"""What a server's answer to a request says: its status, and what its headers tell of ranges and versions."""

from __future__ import annotations

import re

import httpx

from nixgen.errors import VerificationError
from nixgen.wheels.archive import Range

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18})", re.IGNORECASE)


class RangesRefusedError(Exception):
    """The server does not give ranges of this file, or not of one and the same file."""


class StatusError(Exception):
    def __init__(self, what: str, todo: str, response: httpx.Response) -> None:
        super().__init__(what)
        self.what, self.todo, self.response = what, todo, response


def shown(url: str) -> str:
    """Give a URL for messages: without credentials, query (which may hold a token) and fragment."""
    try:
        parsed = httpx.URL(url)
        return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))
    except (httpx.InvalidURL, ValueError):
        return re.sub(r"//[^/@]*@", "//", url).partition("?")[0].partition("#")[0]


def unexpected(url: str, response: httpx.Response) -> StatusError:
    status = response.status_code
    if status in (401, 403):
        todo = "give credentials for this host in a netrc file or in the environment, as uv takes them"
    elif status in (404, 410):
        todo = "lock again: the index no longer has this file"
    else:
        todo = "try again later, or use another index"
    return StatusError(f"the server answered HTTP {status}", todo, response)


def wrong_size(url: str, relation: str, got: int, size: int | None) -> VerificationError:
    expected = f", expected {size}" if size is not None else ""
    return VerificationError(
        f"the file has {relation} {got} bytes{expected}",
        where=shown(url),
        todo="lock again if the wheel was replaced on purpose; otherwise do not use it",
    )


def range_header(wanted: Range) -> str:
    return f"bytes={wanted.start}-{wanted.stop - 1}"


def strong_tag(response: httpx.Response) -> str | None:
    tag = str(response.headers.get("ETag", ""))
    return tag if tag.startswith('"') else None


def content_range(response: httpx.Response) -> tuple[Range, int]:
    """Read Content-Range (RFC 9110, section 14.4).

    Raises:
        RangesRefusedError: it is missing or makes no sense, or the body is encoded.
    """
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None or response.headers.get("Content-Encoding", "identity") != "identity":
        raise RangesRefusedError("no usable Content-Range")
    first, last, total = (int(number) for number in match.groups())
    if not first <= last < total:
        raise RangesRefusedError("a Content-Range that makes no sense")
    return Range(first, last + 1), total
