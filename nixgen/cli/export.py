"""Write the environment in a format that other tools read, to standard output or a file.

pylock is PEP 751's, which uv and pip install; requirements has a hash for each package, for pip's
--require-hashes; cyclonedx is a bill of materials (1.6, JSON) with hashes, licences and who
requires whom, of Python's packages and of npm's. Only the chosen environment is written, for the system
of this machine.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen export -o out/pylock.toml", "for `uv pip sync out/pylock.toml`"),
    ("nixgen export --format requirements -o requirements.txt", "for `pip install --require-hashes -r`"),
    ("nixgen export --format cyclonedx --all-extras -o bom.json", "a bill of materials"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument(
        "-f", "--format", choices=("pylock", "requirements", "cyclonedx"), default="pylock", help="(default: pylock)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write (default: standard output)")
    parser.add_argument("--no-hashes", action="store_true", help="leave hashes out of requirements")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Write the environment; return the exit code.

    Raises:
        UsageError: an option is of another format.
        NixgenError: the lock does not hold what is chosen, or the format cannot hold a package.
    """
    import sys
    from pathlib import Path

    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.emit.files import write_text
    from nixgen.environments.export import exported
    from nixgen.errors import UsageError
    from nixgen.inputs import find_input
    from nixgen.mistakes import about

    if options.no_hashes and options.format != "requirements":
        raise UsageError("--no-hashes is for requirements", todo="add --format requirements, or leave it out")
    console = Console(quiet=options.quiet)
    wanted = request(options)
    file = Path(options.here, options.output) if options.output else None
    place = Path(options.here) if file is None else file.parent
    text = exported(wanted, options.format, place=place, hashes=not options.no_hashes, observer=console)
    if file is None:
        sys.stdout.write(text)
    else:
        with about(file):
            write_text(file, text)
        console.say(f"wrote {options.output}")
        if options.format == "pylock" and file.resolve() == find_input(wanted.base).resolve():
            console.note(
                f"`nixgen lock` takes {file.name} as its input here: move it, or name the input that it is to take"
            )
    return 0
