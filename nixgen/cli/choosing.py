"""The arguments that choose an environment of a lock, which most verbs have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.environments.request import Request


#: What ``run`` and ``shell`` say of ``--mounted``.
MOUNTED = "show the environment without links, in a namespace of the command's own (Linux 6.16; for root 6.5)"


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose an environment of the lock."""
    choice = parser.add_argument_group("which environment of the lock")
    choice.add_argument(
        "--python",
        metavar="PYTHON",
        help="a version that the lock holds, or the path of an interpreter to build with "
        "(default: the lock's first, with the machine's own Python, else the one that uv manages)",
    )
    choice.add_argument(
        "--package", dest="member", metavar="NAME", help="that of a member of the uv workspace (default: the root's)"
    )
    choice.add_argument("--extra", action="append", default=[], metavar="NAME", help="with this extra; repeatable")
    choice.add_argument("--all-extras", action="store_true", help="with every extra that the lock holds")
    choice.add_argument("--group", action="append", default=[], metavar="NAME", help="with this group; repeatable")
    choice.add_argument("--all-groups", action="store_true", help="with every group that the lock holds")
    choice.add_argument("--no-default-groups", action="store_true", help="without the lock's default groups")
    choice.add_argument(
        "--library",
        action="append",
        default=[],
        metavar="DIR",
        help="where to find shared libraries that wheels need and the interpreter does not find; repeatable",
    )
    choice.add_argument(
        "--ignore-library",
        action="append",
        default=[],
        metavar="NAME",
        help="a shared library that the packages can do without, as libcuda.so.1 or libnv*; repeatable",
    )
    choice.add_argument(
        "--node",
        metavar="DIR",
        help="a directory with bin/node, whose programs the environment of npm's packages brings, and which runs "
        "install scripts that are allowed (default: none; the machine's are used)",
    )
    choice.add_argument(
        "--omit",
        action="append",
        default=[],
        choices=("dev", "optional", "peer"),
        help="leave out npm's packages of this kind, as npm does; repeatable",
    )
    fresh = choice.add_mutually_exclusive_group()
    fresh.add_argument(
        "--locked",
        action="store_const",
        dest="check",
        const="locked",
        default="note",
        help="stop where the inputs have changed",
    )
    fresh.add_argument(
        "--frozen",
        action="store_const",
        dest="check",
        const="frozen",
        default="note",
        help="take the lock as it is, and do not look at the inputs",
    )
    add_sources(choice)


def add_sources(choice: argparse._ArgumentGroup) -> None:
    """Add the arguments that say where wheels and what is built come from, and how Nix is run."""
    add_places(choice)
    choice.add_argument(
        "--trusted-key",
        action="append",
        default=[],
        metavar="KEY",
        help="a public key (NAME:…) to believe in what caches have built, beside those that Nix has; repeatable",
    )
    choice.add_argument(
        "--option", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a setting for Nix"
    )


def add_places(choice: argparse._ActionsContainer) -> None:
    """Add the arguments that say where wheels come from."""
    choice.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="[PREFIX=]URL",
        help="fetch wheels below this URL, in place of host (or PREFIX) of the lock's URLs; repeatable "
        "(NIXGEN_MIRROR and [tool.nixgen] mirror say so too)",
    )
    choice.add_argument(
        "--from",
        action="append",
        default=[],
        dest="caches",
        metavar="CACHE",
        help="take wheels, and what `nixgen push` has put beside them, from this cache first: a directory, or a URL of "
        "file://, http://, https:// or s3://; repeatable ([tool.nixgen] cache says so too)",
    )


def request(options: argparse.Namespace) -> Request:
    """Return the environment that a command line asks for.

    Args:
        options: with the arguments of ``add_choice``.
    """
    from pathlib import Path

    from nixgen.environments.request import Request

    member = options.member
    if member:
        # Imported here: most projects have no members.
        from packaging.utils import canonicalize_name

        member = canonicalize_name(member)
    return Request(
        base=Path(options.directory),
        python=options.python,
        member=member or None,
        extras=tuple(options.extra),
        groups=tuple(options.group),
        all_extras=options.all_extras,
        all_groups=options.all_groups,
        default_groups=not options.no_default_groups,
        libraries=tuple(map(Path, options.library)),
        ignore_libraries=tuple(options.ignore_library),
        node=Path(options.node) if options.node else None,
        omit=tuple(options.omit),
        settings=dict(options.option),
        mirrors=tuple(options.mirror),
        caches=tuple(options.caches),
        trusted_keys=tuple(options.trusted_key),
        check=options.check,
    )
