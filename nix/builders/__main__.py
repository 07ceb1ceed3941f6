"""Run one builder inside a Nix build: ``python builders NAME``, with the derivation's attributes as JSON.

Standard library only, for any Python from 3.8 on: this runs on the environment's own interpreter. Each build starts it
anew, and nothing here is compiled beforehand: what few builds need is imported where they need it.
"""

import os
import sys

import plain_json


def main():
    """Run the builder that the command line names on the attributes of the derivation.

    Raises SystemExit with a message where the build cannot go on.
    """
    name = sys.argv[1]
    if name == "unpack":
        from unpack import build
    elif name == "wheel":
        from wheel import build
    elif name == "tree":
        from tree import build
    elif name == "env":
        from env import build
    elif name == "program":
        from program import build
    elif name == "mounted":
        from mounted import build
    elif name == "compiled":
        from compiled import build
    elif name == "image":
        from image import build
    elif name == "python":
        from python import build
    elif name == "npm_environment":
        from npm_environment import build
    elif name == "npm_mounted":
        from npm_mounted import build
    elif name == "text":
        from text import build
    elif name == "nothing":
        from nothing import build
    else:
        sys.exit(f"nixgen: there is no builder named {name!r}")
    with open(os.environ["attributesPath"], encoding="utf-8") as file:  # noqa: SIM112 - the names are Nix's
        build(plain_json.loads(file.read()), os.environ["out"])  # noqa: SIM112


if __name__ == "__main__":
    main()
    # All files are closed. To take down a Python, module by module, takes a tenth of a small build's time.
    sys.stdout.flush()
    os._exit(0)
