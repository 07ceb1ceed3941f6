"""Build an image of the environment for containers, without Docker: ./result-image.

The image is one tar archive that `docker load`, `podman load` and `skopeo copy oci-archive:`
take. It holds everything that the environment needs, its Python too, and each package is a
layer, so that images share them. The Python has to be one of the store: name it with --python.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (("nixgen image", ""),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    add_choice(parser)
    image = parser.add_argument_group("the image")
    image.add_argument("--name", metavar="NAME", help="its name (default: that of the environment)")
    image.add_argument("--tag", default="latest", metavar="TAG", help="its tag (default: %(default)s)")
    image.add_argument(
        "--shell",
        metavar="PATH",
        help="a store path with a shell in its bin, which becomes /bin/sh; the commands of packages need one",
    )
    image.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for containers; repeatable"
    )
    image.add_argument("--layers", type=int, default=100, metavar="N", help="layers at most (default: %(default)s)")
    parser.add_argument(
        "-o", "--out-link", metavar="PATH", help="the link to make (default: result-image in the project's directory)"
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what a container runs (default: Python)"
    )


def run(options: argparse.Namespace) -> int:
    """Build the image and print its store path; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
        UsageError: an option makes no sense.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.choice import Choice
    from nixgen.environments.image import Image, build_image
    from nixgen.errors import UsageError

    variables = {}
    for given in options.env:
        name, found, value = given.partition("=")
        if not name or not found:
            raise UsageError(f"no variable can be made of {given}", where="--env", todo="write NAME=VALUE")
        variables[name] = value
    image = Image(
        name=options.name,
        tag=options.tag,
        layers=options.layers,
        variables=variables,
        command=options.command[1:] if options.command[:1] == ["--"] else options.command,
        shell=Path(options.shell) if options.shell else None,
    )
    choice = Choice.of(request(options))
    link = Path(options.out_link) if options.out_link else choice.base / "result-image"
    print(build_image(choice, image, link, Console(quiet=options.quiet)))
    return 0
