"""Put a virtual environment on what is built for it, whatever is collected beside that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nixgen.environments.build import build
from nixgen.environments.request import Request
from nixgen.observer import Observer
from nixgen.store import Store

from .program import check_ours
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
        InputError: the directory holds what nixgen has not made.
        NixgenError: with what stands in the way of building it; the directory stays as it was.
    """
    check_ours(directory)
    store = Store(request.settings)
    with store.connect() as daemon:
        for left in reversed(range(_BUILDS)):
            environment = build(request, None, observer)
            daemon.hold([environment])
            if left and store.invalid([environment]):
                continue
            code = run_program(directory, arguments, environment=Path(environment))
            # For a collection that has read the roots before the one that was made now (Store.outlives).
            daemon.hold([environment])
            if code != 0 or os.path.lexists(environment):
                break
        return code, environment
