"""What a lying server tells: lies by name, and those of a seed."""

from __future__ import annotations

import functools
import gzip
import random
from collections.abc import Callable

from campaign.liar import Answer, Lie

#: Makes a lie of a generator, another wheel's bytes, and the server's URL.
Maker = Callable[[random.Random, bytes, str], Lie]

LIES: dict[str, Maker] = {}

#: Those that end only with nixgen's patience, which one case of nine has, and nothing else beside.
SLOW: dict[str, Maker] = {}
_ONE_OF = 9


def _lie(name: str, among: dict[str, Maker] = LIES) -> Callable[[Maker], Maker]:
    def add(maker: Maker) -> Maker:
        among[name] = maker
        return maker

    return add


@_lie("ranges: ignored")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        if told.wanted is not None:
            told.status, told.body = 200, told.content
            told.headers.pop("Content-Range", None)

    return lie


@_lie("ranges: refused")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status = chance.choice([400, 403, 405, 416, 500, 501, 503])

    def lie(told: Answer) -> None:
        if told.wanted is not None:
            told.status, told.body = status, b"no ranges here"

    return lie


@_lie("ranges: Content-Range is another's")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    field = chance.choice(
        ["", "bytes some-of/them", "bytes 0-0/1", "bytes 5-4/9", "bytes */*", "lines 1-2/3", "bytes 0-9999999999/*"]
    )

    def lie(told: Answer) -> None:
        if told.status == 206:
            told.headers["Content-Range"] = field

    return lie


@_lie("ranges: shifted")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    by, openly = chance.choice([-100, -1, 1, 100]), chance.random() < 0.5

    def lie(told: Answer) -> None:
        if told.wanted is not None and told.status == 206:
            start, stop = (max(0, edge + by) for edge in told.wanted)
            told.body = told.content[start:stop]
            if openly:
                told.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(told.content)}"

    return lie


@_lie("ranges: wrong total")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    by, first = chance.choice([-50, -1, 1, 50, 10**12]), chance.choice([1, 2])

    def lie(told: Answer) -> None:
        if told.wanted is not None and told.status == 206 and told.number >= first:
            start, stop = told.wanted
            told.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(told.content) + by}"

    return lie


@_lie("ranges: the whole wheel as 206")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        if told.wanted is not None:
            told.status, told.body = 206, told.content

    return lie


@_lie("ranges: longer or shorter than asked")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    by = chance.choice([-200, -1, 1, 200, 200_000])

    def lie(told: Answer) -> None:
        if told.status == 206:
            told.body = told.body[:by] if by < 0 else told.body + b"x" * by

    return lie


@_lie("bytes: zeros")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        if told.status in (200, 206):
            told.body = bytes(len(told.body))

    return lie


@_lie("bytes: one bit")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    where, bit = chance.random(), 1 << chance.randrange(8)

    def lie(told: Answer) -> None:
        if told.body and told.status in (200, 206):
            changed = bytearray(told.body)
            changed[int(where * len(changed))] ^= bit
            told.body = bytes(changed)

    return lie


@_lie("bytes: another wheel's")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    which = chance.choice([(200, 206), (200,), (206,)])

    def lie(told: Answer) -> None:
        if told.status in which:
            start, stop = told.wanted if told.wanted and told.status == 206 else (0, len(another))
            told.body = another[start:stop]
            if told.status == 206:
                told.headers["Content-Range"] = f"bytes {start}-{start + len(told.body) - 1}/{len(another)}"

    return lie


@_lie("bytes: changed between requests")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    silently, every = chance.random() < 0.5, chance.choice([0, 2])

    def lie(told: Answer) -> None:
        if (told.number > 1 if every == 0 else told.number % every == 0) and told.status in (200, 206):
            told.body = bytes(byte ^ 0x55 for byte in told.body)
            if silently:
                told.headers.pop("ETag", None)
            else:
                told.headers["ETag"] = '"another"'

    return lie


@_lie("bytes: a page instead")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status = chance.choice([200, 203])

    def lie(told: Answer) -> None:
        told.status, told.body = status, b"<!DOCTYPE html><title>Please log in</title>"
        told.headers = {"Content-Type": "text/html"}

    return lie


@_lie("length: cut")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    share = chance.choice([0.0, 0.1, 0.5, 0.99])

    def lie(told: Answer) -> None:
        told.promised, told.body = len(told.body), told.body[: int(share * len(told.body))]

    return lie


@_lie("length: less than announced, and the next answer after it")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    by = chance.choice([1, 100])

    def lie(told: Answer) -> None:
        told.promised = max(0, len(told.body) - by)

    return lie


@_lie("connection: reset")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    share = chance.choice([0.0, 0.01, 0.5, 1.0])

    def lie(told: Answer) -> None:
        told.reset = int(share * len(told.body))

    return lie


@_lie("connection: no HTTP")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    raw = chance.choice(
        [
            b"",
            b"SSH-2.0-OpenSSH_9\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"HTTP/9.9 200 OK\r\n\r\n",
            b"HTTP/1.1 999 \xff\r\n\r\n",
            b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789",
        ]
    )

    def lie(told: Answer) -> None:
        told.raw = raw

    return lie


@_lie("connection: slow")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    delay = chance.choice([0.02, 0.1])

    def lie(told: Answer) -> None:
        told.delay = delay

    return lie


@_lie("status: an error")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status = chance.choice([204, 304, 400, 401, 403, 404, 410, 418, 451, 500, 503, 507])

    def lie(told: Answer) -> None:
        told.status, told.body = status, b"" if status in (204, 304) else b"not you"

    return lie


@_lie("status: Retry-After")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status, failures = chance.choice([429, 503]), chance.choice([1, 2, 9])
    after = chance.choice(["0", "1", "-5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "1e3", "٣"])

    def lie(told: Answer) -> None:
        if told.number <= failures:
            told.status, told.body = status, b"not now"
            told.headers["Retry-After"] = after.encode().decode("latin-1")

    return lie


@_lie("redirect")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status = chance.choice([301, 302, 303, 307, 308])
    target = chance.choice(
        [
            "",
            "/wheels/another-1.0-py3-none-any.whl",
            f"{base}/wheels/another-1.0-py3-none-any.whl",
            "/nowhere",
            "http://127.0.0.1:1/x.whl",
            "file:///etc/passwd",
            "ftp://127.0.0.1/x.whl",
            "http://[::1/",
            "//",
            "?again",
        ]
    )

    def lie(told: Answer) -> None:
        # Not what is served at the target: else nothing but a loop would ever come of it.
        if told.content != another:
            told.status, told.body, told.headers = status, b"", {"Location": target}

    return lie


@_lie("encoding: gzip")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    encoding, truly = chance.choice(["gzip", "deflate", "br", "nonsense"]), chance.random() < 0.5

    def lie(told: Answer) -> None:
        told.headers["Content-Encoding"] = encoding
        if truly:
            told.body = gzip.compress(told.body)

    return lie


@_lie("encoding: a bomb")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        told.headers["Content-Encoding"], told.body = "gzip", _bomb()

    return lie


@_lie("206 that nobody asked for")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        if told.status == 200:
            half = len(told.content) // 2
            told.status, told.body = 206, told.content[:half]
            told.headers["Content-Range"] = f"bytes 0-{half - 1}/{len(told.content)}"

    return lie


@_lie("206 of several parts")
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        if told.status == 206:
            field = told.headers.pop("Content-Range", "")
            told.headers["Content-Type"] = "multipart/byteranges; boundary=x"
            told.body = f"--x\r\nContent-Range: {field}\r\n\r\n".encode() + told.body + b"\r\n--x--\r\n"

    return lie


@_lie("time: never an answer", SLOW)
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    def lie(told: Answer) -> None:
        told.silence = 40.0

    return lie


@_lie("time: a byte a second", SLOW)
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    every = chance.choice([0.3, 1.0])

    def lie(told: Answer) -> None:
        told.drip = every

    return lie


@_lie("time: Retry-After of a day", SLOW)
def _(chance: random.Random, another: bytes, base: str) -> Lie:
    status, failures = chance.choice([429, 503]), chance.choice([1, 2, 9])
    after = chance.choice(["86400", "9" * 400, "Fri, 31 Dec 2100 23:59:59 GMT"])

    def lie(told: Answer) -> None:
        if told.number <= failures:
            told.status, told.body = status, b"not now"
            told.headers["Retry-After"] = after

    return lie


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(64 << 20))


def lies_of(seed: int, another: bytes, base: str) -> tuple[list[str], list[Lie]]:
    """Return the names of a seed's lies, one to three, and what tells them: always, at first, later, or in turns."""
    chance = random.Random(f"{seed} servers")
    if seed % _ONE_OF == _ONE_OF - 1:
        name = list(SLOW)[seed // _ONE_OF % len(SLOW)]
        return [name], [_sometimes(SLOW[name](chance, another, base), chance)]
    names = list(LIES)
    first = names[seed % len(names)]
    count = chance.choices([1, 2, 3], [60, 25, 15])[0]
    chosen = [first, *chance.sample([name for name in names if name != first], count - 1)]
    return chosen, [_sometimes(LIES[name](chance, another, base), chance) for name in chosen]


def _sometimes(lie: Lie, chance: random.Random) -> Lie:
    when = chance.choice(["always", "always", "first", "later", "odd"])
    count = chance.choice([1, 2])

    def told(answer: Answer) -> None:
        number = answer.number
        if {"always": True, "first": number <= count, "later": number > count, "odd": number % 2 == 1}[when]:
            lie(answer)

    return told
