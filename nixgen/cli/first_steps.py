"""What ``nixgen`` alone says: what there is to do next, of how far the project has come."""

from __future__ import annotations

import argparse
from pathlib import Path

_SAID = {
    "EMPTY": (
        "no project here yet: nothing says which packages are wanted. Start one:",
        (
            ("nixgen add flask", "a pyproject.toml with flask, and its lock"),
            ("nixgen sync", ".venv with it, on top of the store"),
        ),
    ),
    "WANTED": (
        "a project without a lock. Next:",
        (("nixgen sync", "lock, build, and make .venv"), ("nixgen lock", "only find versions: nixgen.lock and nix/")),
    ),
    "STALE": (
        "what is wanted has changed since nixgen.lock was made. Next:",
        (("nixgen sync", "take it in, and keep the versions that fit"),),
    ),
    "LOCKED": (
        "a lock, and no environment yet. Next:",
        (
            ("nixgen sync", "build it, and make .venv on top of it"),
            ("nixgen build", "or the environment alone, as ./result"),
        ),
    ),
    "BUILT": (
        "all is there. For example:",
        (
            ("nixgen run -- python", "run something in the environment"),
            ("nixgen shell", "a shell in it"),
            ("nixgen add flask", "add a package"),
            ("nixgen upgrade", "newer versions"),
        ),
    ),
}


def run(options: argparse.Namespace) -> int:
    """Print the next steps; return the exit code.

    Raises:
        InputError: the lock cannot be read.
    """
    from nixgen.environments.state import state_of

    told, steps = _SAID[state_of(Path(options.directory)).name]
    width = max(len(command) for command, _ in steps)
    print(f"nixgen: {told}\n")
    for command, what in steps:
        print(f"  {command:{width}}  {what}")
    print("\nall verbs: nixgen --help")
    return 0
