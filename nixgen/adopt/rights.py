"""Adopt another user's environment as root: with that user's rights, and a store that root asks and writes for him.

A process that has the user's rights for good does all the work. What it wants of the store it asks for over a socket;
files for the store come as descriptors that the user could open. Root makes no file below the environment, and the link
that Nix knows there as a root is the user's own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import secrets
import signal
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nixgen.errors import InputError, NixError, NixgenError
from nixgen.leaf import leaf_name, leaf_path
from nixgen.mistakes import mistake
from nixgen.store import Store
from nixgen.store.daemon import Daemon
from nixgen.temporary import temporary_directory
from nixgen.venv.program import rights

from .below import open_regular
from .survey import Leaves, Rules

_LENGTH = struct.Struct("<Q")
_LIMIT = 1 << 28
_CHUNK = 1 << 20
_STORE_NAME = re.compile(r"[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+")


def as_owner(uid: int, store: Store, work: Callable[[Leaves, Rules], int]) -> int:
    """Run a function with a user's rights, for whom root asks the store; return what it returns.

    Args:
        uid: the user.
        store: what root has.
        work: gets a store that asks that one, and rules of placement that the user can read. It prints by itself.

    Raises:
        NixError: with what root found wrong with the store, where the function cannot be told.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with temporary_directory() as directory:
        shown, kept = directory / "rules", directory / "kept"
        shown.mkdir()
        kept.mkdir(mode=0o700)
        directory.chmod(0o711)
        rules = Rules.installed().copied(shown)
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            _exit_with(functools.partial(_work, uid, ours, theirs, work, rules))
        theirs.close()
        try:
            with ours:
                _Serving(ours, store, kept).serve()
        except BaseException:
            # It may be about to leave its user's processes behind: they are its session.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGINT)
            raise
        finally:
            status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _work(
    uid: int, ours: socket.socket, theirs: socket.socket, work: Callable[[Leaves, Rules], int], rules: Rules
) -> int:
    ours.close()
    variables = rights().variables(uid)
    try:
        rights().become(uid)
    except OSError as error:
        raise InputError(
            f"cannot take the rights of user {uid}, whom this belongs to: {error.strerror}",
            todo="run this as that user",
        ) from error
    os.environ.clear()
    os.environ.update(variables)
    return work(Asking(theirs), rules)


def _exit_with(run: Callable[[], int]) -> None:
    """End this process with what a function returns; say what it raises, as the command line does."""
    code = 1
    try:
        code = run()
    except KeyboardInterrupt as interrupt:
        print(f"nixgen: interrupted; {interrupt or 'the previous state is untouched'}", file=sys.stderr)
        code = 130
    except BaseException as error:
        # What its owner takes away meanwhile is an error of the system too, and no fault of nixgen's.
        known = error if isinstance(error, NixgenError) else mistake(error)
        print(f"nixgen: {known or f'unexpected {type(error).__name__}: {error}'}", file=sys.stderr)
        code = known.exit_code if known is not None else 1
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


class Asking:
    """A store as the user's process sees it: it asks root's; see ``Leaves``."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    @functools.cached_property
    def directory(self) -> str:
        """The store's directory."""
        return str(self._ask("directory"))

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold."""
        return set(self._ask("invalid", paths=list(paths)))

    def keep(self, paths: Iterable[str], add: Iterable[tuple[str, str, Path]], link: Path) -> None:
        """Keep some leaves from garbage collection, some of which are added first; see ``Store.keep``."""
        wanted = set(paths)
        for name, sha256, place in add:
            with open_regular(place) as file:
                wanted.add(self._ask("add", name=name, sha256=sha256, descriptor=file.fileno()))
        text = self._ask("keep", paths=sorted(wanted))
        new = link.with_name(f"adopted.new-{secrets.token_hex(12)}")
        new.symlink_to(text)
        new.replace(link)
        self._ask("register", link=str(link))

    def _ask(self, what: str, descriptor: int | None = None, **arguments: object) -> Any:
        _send(self._connection, {"do": what, **arguments}, descriptor)
        answer = _receive(self._connection)
        if answer is None:
            raise NixError("nixgen itself has ended", where="the process that asks the store", todo="run this again")
        if "what" in answer[0]:
            raise NixError(answer[0]["what"], where=answer[0]["where"], todo=answer[0]["todo"])
        return answer[0]["answer"]


class _Serving:
    """Answers the user's process, for whom nothing is done that a user of Nix could not have done."""

    def __init__(self, connection: socket.socket, store: Store, kept: Path) -> None:
        self._connection = connection
        self._store = store
        self._kept = kept
        self._daemon: Daemon | None = None

    def serve(self) -> None:
        """Answer until the process ends."""
        with contextlib.ExitStack() as stack:
            while (asked := _receive(self._connection)) is not None:
                request, descriptor = asked
                try:
                    answer = {"answer": self._answer(request, descriptor, stack)}
                except NixgenError as error:
                    answer = {"what": error.what, "where": error.where, "todo": error.todo}
                finally:
                    if descriptor is not None:
                        os.close(descriptor)
                with contextlib.suppress(BrokenPipeError):
                    _send(self._connection, answer)

    def _answer(self, request: dict[str, Any], descriptor: int | None, stack: contextlib.ExitStack) -> object:
        match request["do"]:
            case "directory":
                return self._store.directory
            case "invalid":
                valid = [path for path in request["paths"] if self._is_named_well(path)]
                return sorted({*request["paths"]} - {*valid} | self._store.invalid(valid))
            case "add":
                return self._add(request["name"], request["sha256"], descriptor, stack)
            case "keep":
                if self._daemon is not None:
                    self._daemon.wait()
                text = self._kept / "leaves"
                # Kept by a root of ours until the user's is there.
                self._store.keep((path for path in request["paths"] if self._is_named_well(path)), (), text)
                return os.readlink(text)  # noqa: PTH115 - as it is written
            case "register":
                return rights().register(request["link"])
        raise InputError(f"no such request: {request['do']}")

    def _add(self, name: str, sha256: str, descriptor: int | None, stack: contextlib.ExitStack) -> str:
        if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("a file of the environment is none any more", todo="run this again")
        if self._daemon is None:
            self._daemon = stack.enter_context(self._store.connect())
        path = leaf_path(name, sha256, self._store.directory)
        # The store computes the hash itself, and refuses another content.
        self._daemon.add(leaf_name(name), _pieces(descriptor, os.fstat(descriptor).st_size), path)
        return path

    def _is_named_well(self, path: object) -> bool:
        directory, _, name = str(path).rpartition("/")
        return directory == self._store.directory and _STORE_NAME.fullmatch(name) is not None


def _pieces(descriptor: int, size: int) -> Iterator[bytes]:
    place = 0
    while place < size and (piece := os.pread(descriptor, min(_CHUNK, size - place), place)):
        place += len(piece)
        yield piece


def _send(connection: socket.socket, message: object, descriptor: int | None = None) -> None:
    content = json.dumps(message).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(content))], [] if descriptor is None else [descriptor])
    connection.sendall(content)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], int | None] | None:
    """Return a message and the descriptor that came with it; None at the end."""
    head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = bytearray()
    while len(content) < min(length, _LIMIT) and (piece := connection.recv(min(length - len(content), _CHUNK))):
        content += piece
    if len(content) < length:
        return None
    return json.loads(content), descriptors[0] if descriptors else None
