"""Run one builder inside a Nix build: ``python builders NAME``, with the derivation's attributes as JSON.

Standard library only, for any Python from 3.8 on: this runs on the environment's own interpreter. Each build starts it
anew, and nothing here is compiled beforehand: what few builds need is imported where they need it.
"""

import json
import os
import sys


def main():
    """Run the builder that the command line names on the attributes of the derivation.

    Raises SystemExit with a message where the build cannot go on.
    """
    die_with_nix()
    name = sys.argv[1]
    if name == "unpack":
        from unpack import build
    elif name == "tree":
        from tree import build
    elif name == "env":
        from env import build
    elif name == "program":
        from program import build
    elif name == "image":
        from image import build
    elif name == "nothing":
        from nothing import build
    else:
        sys.exit(f"nixgen: there is no builder named {name!r}")
    with open(os.environ["attributesPath"], encoding="utf-8") as file:  # noqa: SIM112 - the names are Nix's
        build(json.load(file), os.environ["out"])  # noqa: SIM112


def die_with_nix():
    """Have Linux kill this process with its parent: one that survives writes into the next build's output."""
    if sys.platform == "linux":
        try:
            # What the module ctypes is made of, which alone takes longer to import than all else here.
            import _ctypes

            prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
            _ctypes.call_function(prctl, (1, 9))  # PR_SET_PDEATHSIG, SIGKILL
        except (ImportError, AttributeError, OSError, TypeError):
            pass  # a Python without it builds as well


if __name__ == "__main__":
    main()
