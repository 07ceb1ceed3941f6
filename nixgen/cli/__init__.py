"""The command line: one module per verb, each with ``add_arguments``, ``run``, and ``EXAMPLES`` for its help."""

from __future__ import annotations

import _thread
import argparse
import functools
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from nixgen import __version__
from nixgen.errors import NixgenError, UsageError
from nixgen.mistakes import about, mistake
from nixgen.names import LOCK_NAME

_DESCRIPTION = """\
Turn locked Python requirements into Nix expressions and environments.

Every file of every wheel becomes a store path of its own, keyed by the SHA-256 that the
wheel's RECORD gives it; an environment is links to them. Packages are exactly as the index
serves them, and each file lies on the machine once.
"""

_EPILOG = """\
first steps:

  nixgen add flask                         in an empty directory, or one with pyproject.toml or requirements.in
  nixgen sync                              lock what is wanted, build it, make .venv
  nixgen run -- python -c 'import flask'   run something in the environment
  nixgen build                             the environment alone: ./result
  nix-build nix                            the same with Nix alone

exit codes: 0 done, 1 unexpected, 2 usage, 3 input, 4 network, 5 verification, 6 Nix, 7 machine,
130 interrupted (143, 129: by SIGTERM, SIGHUP)
`nixgen VERB --help` says more of a verb, with examples; `nixgen` alone, what there is to do next.
"""

_REPORT = "  what to do: run again with --debug and report what it prints"

#: What an error of a full disk is about that names no file.
_OUTPUT = Path("the standard output")

#: The verbs, and what each does in a line; each is a module of this package.
_VERBS = {
    "sync": "lock if needed, build, and renew .venv: the one command of a day",
    "add": "add requirements, lock, and renew .venv",
    "remove": "remove requirements, lock, and renew .venv",
    "lock": "read requirements, write nixgen.lock and nix/",
    "upgrade": "lock newer versions, of all packages or some",
    "build": "fetch what the store lacks and build the environment",
    "run": "run a command in the environment",
    "shell": "start a shell in the environment",
    "venv": "make a virtual environment to install into, on top of the environment",
    "fsck": "heal such a virtual environment",
    "mount": "mount such virtual environments again, as after a restart",
    "umount": "take away what is mounted over one",
    "mounts": "show what is mounted",
    "fetch": "put the files of the lock into the store, without building",
    "verify": "compare the store with the lock, and repair it",
    "show": "show what the lock holds, and which files of what is built are copies",
    "push": "write to a cache what other machines cannot cheaply make",
    "pull": "take into the store what `nixgen push --stdout` has written",
    "warm": "put popular packages into the store before anyone asks",
    "wheelhouse": "write the wheels of locks into a directory, for --find-links",
    "serve": "serve an index of packages, for pip, uv and others, out of the store",
    "list": "list the packages of the environment",
    "tree": "show who requires whom",
    "why": "say why a package is there",
    "diff": "say what differs between two locks",
    "size": "say what an environment costs and shares, with a page to look at",
    "fleet": "say what many locks hold and share, which have a version, what an upgrade costs",
    "export": "write it as pylock.toml, requirements or a bill of materials",
    "outdated": "list the packages that have newer versions",
    "clean": "say what can go and what that frees, and remove it",
    "doctor": "say whether this machine and project have what is needed",
    "image": "build an image for containers",
    "adopt": "make links to the store of the files of an environment that another tool made",
    "init": "write a flake.nix for `nix build`",
    "completion": "print the script with which bash, zsh or fish completes all this",
    "module": "write nix/module.nix, a module of nixmodules",
}

#: Verbs that mostly find that there is nothing to do; from there on what is logged is shown (``Console.working``).
_QUICK = ("build", "run")

#: The module of a verb whose name is one of Python's own.
_MODULES = {"list": "listing"}


def verbs() -> tuple[Mapping[str, argparse.ArgumentParser], Mapping[str, str]]:
    """Return the parser of each verb, and what each does in a line."""
    return parsers()[1], _VERBS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see ``nixgen --help``."""
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        _say(str(error))
        return error.exit_code
    # httpx would import its own command line, with rich and Pygments, where they are there: 40 % of its import.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    if options.debug or options.verbose or options.verb not in _QUICK:
        # Imported here: a help needs none of it.
        from nixgen.cli.logs import show_log

        show_log(debug=options.debug or options.verbose, quiet=options.quiet)
    ended_by = _end_on_signals()
    try:
        _find_project(options)
        with about(_OUTPUT):  # every file that is written has its own name in an error
            code: int = options.run(options)
            if sys.stdout is not None:  # closed by who started it
                sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        print(f"nixgen: interrupted; {str(interrupt) or 'the previous state is untouched'}", file=sys.stderr)
        return 128 + next(iter(ended_by), signal.SIGINT)
    except BrokenPipeError:
        # The reader of our output has gone (``| head``): nothing more to say, and nothing to flush either.
        _leave_output()
        return 141
    except Exception as error:
        if options.debug:
            import logging

            logging.getLogger("nixgen").exception("the command failed")
        known = error if isinstance(error, NixgenError) else mistake(error)
        told = str(known) if known is not None else f"unexpected {type(error).__name__}: {error}\n{_REPORT}"
        _say(told)
        if isinstance(error, OSError) and error.filename == os.fspath(_OUTPUT):
            _leave_output()
        return known.exit_code if known is not None else 1


def _leave_output() -> None:
    """Have what standard output has not taken go nowhere: Python would try once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    """Say what is wrong."""
    from nixgen.cli.console import without_secrets

    print(f"nixgen: {without_secrets(text)}", file=sys.stderr)


def _find_project(options: argparse.Namespace) -> None:
    """Set the project's directory where the user names none, and ``here``, what paths that he names start from.

    Where something to lock or to adopt is named, the project is not looked for.
    """
    options.here = options.directory or "."
    if options.directory is not None:
        if not Path(options.directory).is_dir():
            raise UsageError(
                "there is no such directory", where=options.directory, todo="give the project's directory with -C"
            )
        return
    options.directory = "."
    named = getattr(options, "inputs", None) or options.verb in ("adopt", "warm")
    if named or Path(LOCK_NAME).is_file():
        return
    # Imported here: where there is a lock, none of it is needed.
    from nixgen.locking.place import find_place

    place = find_place(Path())
    if place is None:
        return
    if place.base != Path.cwd():
        options.directory = str(place.base)
        import logging

        logging.getLogger("nixgen").info("the project is %s", place.base)
    if place.member is not None and getattr(options, "member", "") is None:
        options.member = place.member


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line as every other error is said."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, todo=f"see what it takes: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.dest == "verb" and action.choices is not None and value not in action.choices:
            from nixgen.cli.guessing import unknown_verb

            raise unknown_verb(value, action.choices)
        super()._check_value(action, value)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what a command line says, with the ``run`` of its verb.

    Args:
        arguments: its words, without the program's name.

    Raises:
        UsageError: it is not understood; names what was probably meant.
    """
    if arguments[:1] in (["help"], ["version"]):
        arguments = [*arguments[1:], f"--{arguments[0]}"]
    options, unknown = _parsers()[0].parse_known_args(arguments)
    if unknown:
        from nixgen.cli.guessing import unknown_arguments

        raise unknown_arguments(unknown, options.verb, parsers()[1])
    return options


def parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of the command line, and that of each verb by its name."""
    parser, verbs = _parsers()
    return parser, {name: verb.parser for name, verb in verbs.items()}


def _parsers() -> tuple[argparse.ArgumentParser, Mapping[str, _Verb]]:
    """Return the parser of the command line, and the verbs, whose parsers are not made yet."""
    parser = _Parser(
        prog="nixgen",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(parser, first=True)
    parser.add_argument("--version", action="version", version=f"nixgen {__version__}")
    parser.set_defaults(run=_first_steps)
    # Where the program has no name of its own, argparse formats a usage to find one.
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", prog="nixgen", parser_class=_Verb)
    return parser, {name: verbs.add_parser(name, help=summary, verb=name) for name, summary in _VERBS.items()}


def _first_steps(options: argparse.Namespace) -> int:
    return importlib.import_module("nixgen.cli.first_steps").run(options)  # type: ignore[no-any-return]


class _Verb(_Parser):
    """A verb, of which the module is imported and the parser made when it is asked: a run asks one of them."""

    def __init__(self, *, verb: str, prog: str, **_given: Any) -> None:
        # Not the parser's own: each would take 0.2 ms. Of what argparse has for a verb it asks for one method alone.
        self._name = verb
        self.prog = prog

    @functools.cached_property
    def parser(self) -> argparse.ArgumentParser:
        """What the verb takes, and what its help says."""
        implementation = importlib.import_module(f"nixgen.cli.{_MODULES.get(self._name, self._name)}")
        parser = _Parser(
            prog=self.prog,
            description=implementation.__doc__,
            epilog=_examples(implementation.EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_common(parser, first=False)
        implementation.add_arguments(parser)
        parser.set_defaults(run=implementation.run)
        return parser

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the words that stand behind the verb."""
        return self.parser.parse_known_args(args, namespace)


def _add_common(parser: argparse.ArgumentParser, *, first: bool) -> None:
    """Add what every verb takes, and what may stand before it too.

    Args:
        parser: of a verb, or of the whole command line.
        first: whether it is for the place before the verb, whose options have the defaults.
    """

    def default(value: object) -> object:
        return value if first else argparse.SUPPRESS

    parser.add_argument("-q", "--quiet", action="store_true", default=default(False), help="print errors only")
    parser.add_argument(
        "-v", "--verbose", action="store_true", default=default(False), help="print what is run, uv and Nix among it"
    )
    parser.add_argument(
        "--debug", action="store_true", default=default(False), help="the same, and tracebacks of errors"
    )
    parser.add_argument(
        "-C",
        "--directory",
        default=default(None),
        metavar="DIR",
        help="the project's directory (default: the nearest at or above the current one)",
    )


def _examples(examples: Sequence[tuple[str, str]]) -> str:
    """Return what a verb's help ends with: command lines, and what each does."""
    width = max(len(command) for command, _ in examples)
    lines = (f"  {command:{width}}  {what}".rstrip() for command, what in examples)
    return "\n".join(["examples:", *lines])


def _end_on_signals() -> list[int]:
    """Have SIGTERM and SIGHUP clean up what an interrupt cleans up; return a list that gets the one that came."""
    came: list[int] = []

    def terminate(number: int, _frame: FrameType | None) -> None:
        if not came:  # while that is cleaned up, another one changes nothing
            came.append(number)
            raise KeyboardInterrupt

    def ignored(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.interrupt_main()  # it fell into a destructor, which raises nothing: once more, outside of it
        else:
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = ignored
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, terminate)
    return came
