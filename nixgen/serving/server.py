"""The server: listens on loopback or a socket of the file system until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import signal
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.cache import cache_directory
from nixgen.errors import InputError, MachineError
from nixgen.temporary import sweep, temporary_directory
from nixgen.wheelhouse.wanted import Wanted

if TYPE_CHECKING:
    from nixgen.access import Access

#: How many connections there may be at once; one more is told to come again.
_CONNECTIONS = 1000

#: How long those that are being answered have when the server is told to end, in seconds.
_GRACE = 20

#: How many things wait for the disk at once.
_THREADS = 16

_BACKLOG = 1024


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server listens.

    Attributes:
        host, port: of TCP; port 0 takes one that is free.
        path: of a socket of the file system, in place of these.
    """

    host: str = "127.0.0.1"
    port: int = 0
    path: Path | None = None


def serve(
    wheels: Sequence[Wanted],
    address: Address,
    *,
    upstream: str | None,
    budget: int,
    access: Callable[[], Access],
    caches: Sequence[str] = (),
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        wheels: those of the locks.
        address: where to listen.
        upstream: URL of an index that has what the locks lack.
        budget: how many bytes of whole wheels are kept.
        access: how servers are reached.
        caches: binary caches that are asked for wheels, as a user names them.
        ready: called with where the index is, once it is.

    Raises:
        InputError: what it is made of is not installed, or another server has the socket.
        MachineError: the address cannot be listened at.
    """
    _check_installed()
    with _listening(address) as (listening, shown):
        kept = cache_directory() / "wheels"
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(kept)
        with temporary_directory(kept) as scratch:
            ready(shown)  # who comes now waits in the queue
            asyncio.run(_serve(wheels, listening, kept, scratch, upstream, budget, access, caches))


async def _serve(
    wheels: Sequence[Wanted],
    listening: socket.socket,
    kept: Path,
    scratch: Path,
    upstream: str | None,
    budget: int,
    access: Callable[[], Access],
    caches: Sequence[str],
) -> None:
    import uvicorn

    from nixgen.serving.app import make_app
    from nixgen.serving.catalogue import Catalogue
    from nixgen.serving.files import Files
    from nixgen.serving.upstream import Upstream
    from nixgen.wheelhouse.supply import Supply

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    async with contextlib.AsyncExitStack() as stack:
        supply = await stack.enter_async_context(Supply(access=access, caches=caches))
        beyond = None if upstream is None else await stack.enter_async_context(Upstream(upstream, access()))
        files = Files(supply, kept, scratch, budget)
        stack.callback(files.close)
        config = uvicorn.Config(
            make_app(Catalogue(wheels, beyond), files),
            lifespan="off",
            log_config=None,
            log_level="critical",  # what goes wrong is said by those who know what it is about
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE,
        )
        server = uvicorn.Server(config)

        def end() -> None:
            server.force_exit = server.should_exit  # the second time at once
            server.should_exit = True

        # Not as uvicorn does it, which sends the signal again when all is done: to end so is no failure.
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        await server.serve(sockets=[listening])


def _check_installed() -> None:
    missing = [name for name in ("starlette", "uvicorn", "mousebender") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"serving takes packages that are not installed: {', '.join(missing)}",
            where="nixgen[serve]",
            todo="install nixgen with them: uv tool install 'nixgen[serve]', or pip install 'nixgen[serve]'",
        )


@contextlib.contextmanager
def _listening(address: Address) -> Iterator[tuple[socket.socket, str]]:
    """Give a socket that listens, and the URL of the index there."""
    shown = str(address.path or f"{address.host}:{address.port}")
    try:
        listening = _unix(address.path) if address.path is not None else _tcp(address.host, address.port)
    except OSError as error:
        raise MachineError(
            f"cannot listen: {error.strerror or error}",
            where=shown,
            todo="name another place: --port (0 takes any that is free), --host or --socket",
        ) from error
    try:
        if address.path is not None:
            yield listening, str(address.path)
        else:
            host, port = listening.getsockname()[:2]
            yield listening, f"http://{f'[{host}]' if ':' in host else host}:{port}/simple/"
    finally:
        listening.close()
        if address.path is not None:
            address.path.unlink(missing_ok=True)


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _unix(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise InputError("this is no socket", where=str(path), todo="name another place")
        with socket.socket(socket.AF_UNIX) as other:
            try:
                other.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()  # what a killed one has left
            else:
                todo = "end it, or name another place"
                raise InputError("another server has this socket", where=str(path), todo=todo)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening
