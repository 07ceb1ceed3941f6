"""Put a virtual environment on what is built for it, whatever is collected beside that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nixgen.environments.build import build
from nixgen.environments.request import Request
from nixgen.observer import Observer
from nixgen.store import Store

from .program import run as run_program

#: How often to build what was collected before it could be held: each time takes a collection at just that moment.
_BUILDS = 5


def stand(directory: Path, arguments: Sequence[str], request: Request, observer: Observer) -> tuple[int, str]:
    """Build an environment and run the program on a directory with it; the store keeps it meanwhile.

    ``nix-build`` makes no link here, and what no link keeps may be gone as soon as it ends.

    Args:
        directory: the virtual environment.
        arguments: options of the program.
        request: the environment.
        observer: is told what goes on.

    Returns:
        the program's exit code, and the store path of the environment.

    Raises:
        NixgenError: with what stands in the way of building it; the directory stays as it was.
    """
    store = Store(request.settings)
    with store.connect() as daemon:
        for _ in range(_BUILDS):
            environment = build(request, None, observer)
            daemon.hold([environment])
            if not store.invalid([environment]):
                break
        return run_program(directory, arguments, environment=Path(environment)), environment
