"""Build an image of the environment for containers, without Docker: ./result-image. With --store, of a store.

The image for containers is one tar archive that `docker load`, `podman load` and `skopeo copy oci-archive:`
take. It holds everything that the environment needs, its Python too, and each package is a
layer, so that images share them. The Python has to be one of the store: name it with --python.

The image of a store (--store) is a file system (EROFS) that hosts mount: environments of one or
several locks, all of the store that they need, and Nix's database. FILE.json beside it says what
it holds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.store_image import StoreImage

EXAMPLES = (
    ("nixgen image", ""),
    ("nixgen image --store -o base.erofs", "a file system to mount, of ./nixgen.lock"),
    ("nixgen image --store a/nixgen.lock b --on base.erofs -o more.erofs", "what that lacks of two locks"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    add_choice(parser)
    image = parser.add_argument_group("the image for containers")
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
    store = parser.add_argument_group("the image of a store")
    store.add_argument(
        "--store",
        nargs="*",
        metavar="LOCK",
        help="make a file system with a store, of these locks or directories with one (default: that of the project)",
    )
    store.add_argument(
        "--on", metavar="FILE", help="leave out what this image of a store has; the new one is mounted on top of it"
    )
    store.add_argument("--json", action="store_true", help="print what it holds as JSON")
    parser.add_argument(
        "-o",
        "--out-link",
        metavar="PATH",
        help="the link to make (default: result-image in the project's directory); with --store, the file to write "
        "(default: store.erofs there)",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what a container runs (default: Python)"
    )


def run(options: argparse.Namespace) -> int:
    """Build the image and print its store path, or the environments of a store's; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
        UsageError: an option makes no sense.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.choice import Choice
    from nixgen.environments.image import Image, build_image
    from nixgen.errors import UsageError

    if options.store is not None:
        return _store(options)
    for name in ("on", "json"):
        if getattr(options, name):
            raise UsageError(
                f"--{name} is of images of a store", where=f"--{name}", todo="say --store, or leave it out"
            )
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


def _store(options: argparse.Namespace) -> int:
    import json

    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console, count, size
    from nixgen.cli.push import base_of
    from nixgen.store_image import make_store_image

    _check(options)
    asked, console = request(options), Console(quiet=options.quiet)
    locks = [*options.store, *options.command]
    bases = [base_of(lock) for lock in locks] or [asked.base]
    file = Path(options.out_link) if options.out_link else asked.base / "store.erofs"
    on = Path(options.on) if options.on else None
    made = make_store_image([asked._replace(base=base) for base in bases], file, on=on, observer=console)
    if options.json:
        print(json.dumps(_report(made, [str(base) for base in bases]), indent=2))
    else:
        for environment in dict.fromkeys(made.environments):
            print(environment)
    below = len(made.listing.below)
    console.say(
        f"wrote {file}: {count(len(made.listing.entries), 'store path')}, {size(made.size)}"
        + (f"; {below:,} below it" if below else "")
    )
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what has no meaning for the image of a store."""
    from nixgen.errors import UsageError

    for name, default in (("name", None), ("tag", "latest"), ("shell", None), ("env", []), ("layers", 100)):
        if getattr(options, name) != default:
            raise UsageError(
                f"--{name} is of images for containers", where=f"--{name}", todo="leave it out, or --store"
            )
    for word in options.command:
        if word.startswith("-"):
            raise UsageError("an image of a store runs nothing", where=word, todo="give options before the locks")


def _report(made: StoreImage, bases: list[str]) -> dict[str, object]:
    """Return what was made, as JSON has it."""
    listing = made.listing
    return {
        "image": str(made.file),
        "bytes": made.size,
        "uuid": listing.uuid,
        "on": list(listing.images),
        "store": listing.store,
        "environments": [{"lock": lock, "path": path} for lock, path in zip(bases, made.environments, strict=True)],
        "paths": sorted(listing.entries),
        "below": len(listing.below),
    }
