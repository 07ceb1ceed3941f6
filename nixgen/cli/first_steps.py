"""What ``nixgen`` alone says: what there is to do next, of how far the project has come."""

from __future__ import annotations

import argparse
from pathlib import Path

_SAID = {
    "EMPTY": (
        "no project here yet: nothing says which packages are wanted. Start one:",
        (
            ("echo flask > requirements.in", "or a pyproject.toml, or another tool's lock"),
            ("nixgen lock", "find versions, write nixgen.lock and nix/"),
        ),
    ),
    "WANTED": (
        "a project without a lock. Next:",
        (("nixgen lock", "find versions, write nixgen.lock and nix/"),),
    ),
    "STALE": (
        "what is wanted has changed since nixgen.lock was made. Next:",
        (("nixgen lock", "take it in, and keep the versions that fit"),),
    ),
    "LOCKED": (
        "a lock, and no environment yet. Next:",
        (
            ("nixgen build", "the environment, as ./result"),
            ("nixgen venv", "or .venv on top of it, to install into"),
        ),
    ),
    "BUILT": (
        "all is there. For example:",
        (
            ("nixgen run -- python", "run something in the environment"),
            ("nixgen shell", "a shell in it"),
            ("nixgen lock --upgrade", "newer versions"),
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
