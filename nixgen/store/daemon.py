"""Adding files to the store as a stream, over the protocol of Nix's daemon.

``nix-daemon --stdio`` speaks it whether a daemon runs (then it forwards) or not, and a fixed output needs no trust:
the store computes the hash itself. Against ``nix-store --add-fixed`` on the same 7,223 files that is 1.9 s of processor
time for 2.9 s, and no file has to be written twice.

The protocol is version 1.32 (Nix 2.4, ``src/libstore/worker-protocol.hh``); newer daemons speak it too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import IO, Self

from nixgen.errors import NixError
from nixgen.store.refusals import refusal

_CLIENT_MAGIC = 0x6E697863
_DAEMON_MAGIC = 0x6478696F
_VERSION = 1 << 8 | 32

_ADD_TO_STORE = 7
_ADD_TEMP_ROOT = 11
_QUERY_VALID_PATHS = 31

# What the daemon says before its answer.
_LAST = 0x616C7473
_ERROR = 0x63787470
_NEXT = 0x6F6C6D67
_START_ACTIVITY = 0x53545254
_STOP_ACTIVITY = 0x53544F50
_RESULT = 0x52534C54

_INTEGER = struct.Struct("<Q")

#: How much the pipe to the daemon holds where the system lets it, in bytes.
_PIPE = 1 << 20

#: Below this many bytes, header and content go to the pipe together.
_SMALL = 1 << 16


class Daemon:
    """A connection that adds files, many under way at once, and keeps some from collection; ``close`` waits for all.

    Safe for several threads: each file is sent as a whole.

    Args:
        command: starts the daemon on its standard input and output.

    It is not waited for: that it does not start, or speaks something else, is a ``NixError`` of the first wait.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            bufsize=_SMALL * 2,
            # Nix 2.8 gives up where nobody says who runs it, as in a container with a user of no name.
            env={"USER": str(os.geteuid()), **os.environ},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        with contextlib.suppress(AttributeError, OSError):  # Linux: fewer turns between the two processes
            fcntl.fcntl(self._to, fcntl.F_SETPIPE_SZ, _PIPE)
        # Of each answer: the path that it names, None where it names none, or what gets the paths that it lists.
        self._expected: deque[str | list[str] | None] = deque()
        self._sending = threading.Lock()
        self._answered = threading.Condition()
        self._sent, self._done = 1, 0  # the greeting is sent first
        self._over = False
        self._failure: NixError | None = None
        # no processor to keep to, no space to reserve: two fields that nobody reads any more
        self._to.write(_number(_CLIENT_MAGIC) + _number(_VERSION) + _number(0) + _number(0))
        with contextlib.suppress(OSError):  # the reader meets the reason
            self._to.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def add(self, name: str, content: bytes | Iterable[bytes], path: str, *, algorithm: str = "sha256") -> None:
        """Send one file: a flat fixed output.

        The store takes a file with its last byte. Content in pieces that raises an error before that is not taken, and
        the connection ends with it.

        Args:
            name: of the store path.
            content: the file's bytes, in one or in pieces.
            path: the store path it must get.
            algorithm: of the hash that the path is made of.

        Raises:
            NixError: the store refused this file or one before it.
        """
        head = _number(_ADD_TO_STORE) + _text(name) + _text(f"fixed:{algorithm}") + _number(0) + _number(0)
        with self._operation(path):
            if isinstance(content, bytes) and len(content) < _SMALL:
                self._write(b"".join((head, _number(len(content)), content, _number(0))))
            else:
                self._write(head)
                for piece in (content,) if isinstance(content, bytes) else content:
                    self._write(_number(len(piece)))
                    self._write(piece)
                self._write(_number(0))

    def hold(self, paths: Iterable[str]) -> None:
        """Keep store paths from garbage collection, there or not, until the connection ends; wait until they are.

        Args:
            paths: whatever of them is in the store after this call stays, and what comes later too.

        Raises:
            NixError: the daemon cannot.
        """
        for path in paths:
            with self._operation(None):
                self._write(_number(_ADD_TEMP_ROOT) + _text(path))
        self.wait()

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold.

        Raises:
            NixError: the daemon cannot tell.
        """
        asked, valid = set(paths), list[str]()
        with self._operation(valid):
            self._write(b"".join((_number(_QUERY_VALID_PATHS), _number(len(asked)), *map(_text, asked), _number(0))))
        self.wait()
        return asked.difference(valid)

    @contextlib.contextmanager
    def _operation(self, answer: str | list[str] | None) -> Iterator[None]:
        """Write one operation to the daemon, whole, or end the daemon; its answer is as ``_expected`` has it."""
        with self._sending:
            with self._answered:
                self._expected.append(answer)
                self._sent += 1
            try:
                yield
            except BaseException:
                self._process.kill()
                raise

    def wait(self) -> None:
        """Wait until all that was sent so far is done.

        Raises:
            NixError: the store refused one.
        """
        with self._sending:
            sent = self._sent
            with contextlib.suppress(OSError, ValueError):
                self._to.flush()
        with self._answered:
            self._answered.wait_for(lambda: self._over or self._done >= sent)
        if self._failure is not None or self._done < sent:
            raise self._why()

    def close(self) -> None:
        """Wait until the store holds every file that was sent, and end the daemon.

        Raises:
            NixError: the store refused one.
        """
        try:
            self.wait()  # the daemon takes a closed pipe for an interrupt, whatever is still to be done
            with contextlib.suppress(OSError, ValueError):
                self._to.close()
            self._reader.join()
            self._process.wait()
        finally:
            self.abort()

    def abort(self) -> None:
        """End the daemon at once; what it has not registered is not in the store."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._reader.join()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()

    def _write(self, data: bytes) -> None:
        try:
            self._to.write(data)
        except (OSError, ValueError) as error:  # the reader has ended the daemon, or the daemon itself
            raise self._why() from error

    def _read(self) -> None:
        """Read answers until the daemon ends."""
        try:
            self._greeting()
            while self._answer():
                pass
        except NixError as error:
            self._failure = error
        except (EOFError, OSError, ValueError, IndexError):
            self._failure = self._ended()
        if self._failure is not None:
            self._process.kill()  # who is sending meets a broken pipe
        with self._answered:
            self._over = True
            self._answered.notify_all()

    def _greeting(self) -> None:
        if self._integer() != _DAEMON_MAGIC or self._integer() < _VERSION:
            raise NixError(
                "the Nix daemon speaks another protocol",
                where="nix-daemon --stdio",
                todo="install Nix 2.4 or newer",
            )
        self._messages()
        self._count()

    def _answer(self) -> bool:
        """Read one answer, and compare the path with what it must be; tell whether there was one."""
        try:
            self._messages()
        except EOFError:
            return False
        with self._answered:
            expected = self._expected.popleft()
        path: str | None = None
        if isinstance(expected, list):
            expected += self._strings()
        elif expected is None:
            self._integer()  # always 1
        else:
            path = self._string()
            self._string(), self._string()  # deriver, hash
            self._strings()  # references
            self._integer(), self._integer(), self._integer()  # time, size, ultimate
            self._strings(), self._string()  # signatures, content address
        self._count()
        if isinstance(expected, str) and path != expected:
            raise NixError(
                "the store gave a leaf another path than expected",
                where=f"{path} instead of {expected}",
                todo="report this to nixgen's authors",
            )
        return True

    def _count(self) -> None:
        with self._answered:
            self._done += 1
            self._answered.notify_all()

    def _messages(self) -> None:
        """Read what the daemon says before an answer; an error of its own is raised."""
        while (kind := self._integer()) != _LAST:
            if kind == _NEXT:
                self._string()
            elif kind == _START_ACTIVITY:
                self._integer(), self._integer(), self._integer(), self._string()
                self._fields()
                self._integer()
            elif kind == _STOP_ACTIVITY:
                self._integer()
            elif kind == _RESULT:
                self._integer(), self._integer()
                self._fields()
            elif kind == _ERROR:
                self._string(), self._integer(), self._string()  # type, level, name
                said = self._string()
                raise refusal(f"error: {said}") or NixError(
                    f"Nix did not take a file into its store: {said}",
                    where="nix-daemon --stdio",
                    todo="see Nix's message above",
                )
            else:
                raise NixError(f"the Nix daemon said something unknown: {kind:#x}", where="nix-daemon --stdio")

    def _fields(self) -> None:
        for _ in range(self._integer()):
            if self._integer() == 0:
                self._integer()
            else:
                self._string()

    def _integer(self) -> int:
        data = self._from.read(8)
        if len(data) < 8:
            raise EOFError
        number: int = _INTEGER.unpack(data)[0]
        return number

    def _string(self) -> str:
        length = self._integer()
        return self._from.read(length + -length % 8)[:length].decode(errors="replace")

    def _strings(self) -> list[str]:
        return [self._string() for _ in range(self._integer())]

    def _why(self) -> NixError:
        self._reader.join(10)
        return self._failure or self._ended()

    def _ended(self) -> NixError:
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        return refusal(said) or NixError(
            "the Nix daemon ended before it had every file" + (f":\n    {said}" if said else ""),
            where="nix-daemon --stdio",
            todo="see Nix's message above" if said else "try again; --debug shows the commands",
        )


def _number(value: int) -> bytes:
    return _INTEGER.pack(value)


def _text(value: str) -> bytes:
    data = value.encode()
    return _number(len(data)) + data + b"\0" * (-len(data) % 8)
