"""What somebody meant who typed a verb or an option that nixgen does not have."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

from nixgen.errors import UsageError

#: What other tools call a verb, and the verbs here that do it; the first of them that there is, is meant.
_VERBS: Mapping[str, Sequence[str]] = {
    "install": ("sync", "venv"),
    "i": ("sync", "venv"),
    "setup": ("sync", "venv"),
    "develop": ("shell",),
    "activate": ("shell",),
    "use": ("shell",),
    "exec": ("run",),
    "x": ("run",),
    "start": ("run",),
    "virtualenv": ("venv",),
    "env": ("venv",),
    "compile": ("lock",),
    "resolve": ("lock",),
    "generate-lockfile": ("lock",),
    "update": ("upgrade", "lock"),
    "up": ("upgrade", "lock"),
    "bump": ("upgrade", "lock"),
    "uninstall": ("remove",),
    "rm": ("remove",),
    "delete": ("remove",),
    "require": ("add",),
    "ls": ("list", "show"),
    "freeze": ("export", "show"),
    "requirements": ("export",),
    "sbom": ("export",),
    "info": ("show",),
    "inspect": ("show",),
    "graph": ("tree",),
    "depends": ("tree",),
    "why-depends": ("why",),
    "du": ("size",),
    "gc": ("clean",),
    "prune": ("clean",),
    "purge": ("clean",),
    "check": ("verify", "doctor"),
    "audit": ("verify",),
    "repair": ("fsck", "verify"),
    "heal": ("fsck",),
    "download": ("fetch",),
    "pull": ("fetch",),
    "docker": ("image",),
    "container": ("image",),
    "new": ("init",),
    "flake": ("init",),
    "unmount": ("umount",),
    "completions": ("completion",),
    "generate-shell-completion": ("completion",),
}

#: What other tools call an option, likewise.
_OPTIONS: Mapping[str, Sequence[str]] = {
    "--silent": ("--quiet",),
    "--no-dev": ("--no-default-groups",),
    "--without": ("--no-default-groups", "--no-groups"),
    "--with": ("--group",),
    "--extras": ("--extra", "--optional"),
    "--all": ("--all-groups", "--all-extras"),
    "--locked": ("--check",),
    "--project": ("--directory",),
    "--cwd": ("--directory",),
    "--chdir": ("--directory",),
    "--platform": ("--system",),
    "--python-platform": ("--system",),
    "--python-version": ("--python",),
    "--pre": ("--prerelease",),
    "--no-binary": ("--build-from-source",),
    "--only-binary": ("--no-build",),
    "--output": ("--out-link",),
    "--simulate": ("--dry-run", "--check"),
    "--dry": ("--dry-run",),
}


def unknown_verb(typed: str, verbs: Iterable[str]) -> UsageError:
    """Return the error of a verb that there is not, with the one that was probably meant."""
    meant = _meant(typed, list(verbs), _VERBS)
    todo = "see them all: nixgen --help"
    return UsageError(f"there is no verb {typed}", todo=todo if meant is None else f"try nixgen {meant}; {todo}")


def unknown_arguments(
    typed: Sequence[str], verb: str | None, parsers: Mapping[str, argparse.ArgumentParser]
) -> UsageError:
    """Return the error of arguments that a verb does not take, with the options that were probably meant.

    Args:
        typed: the arguments.
        verb: the verb; None without one.
        parsers: that of each verb.
    """
    options = {name: _options(parser) for name, parser in parsers.items()}
    own = options.get(verb or "", set())
    told = []
    for argument in typed:
        option, equals, value = argument.partition("=")
        if not option.startswith("-"):
            continue
        meant = _meant(option, sorted(own), _OPTIONS)
        others = [name for name, has in options.items() if option in has]
        if others:
            told.append(f"{option} is an option of {', '.join(f'nixgen {name}' for name in others[:3])}")
        if meant is not None:
            told.append(f"try {meant}{equals}{value}")
    command = "nixgen" if verb is None else f"nixgen {verb}"
    return UsageError(
        f"{command} does not take {' '.join(typed)}", todo="; ".join([*told, f"see what it takes: {command} --help"])
    )


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def _meant(typed: str, known: Sequence[str], names: Mapping[str, Sequence[str]]) -> str | None:
    """Return the name that was meant: by what others call it, else the one that is spelled most like it."""
    from difflib import get_close_matches

    for name in names.get(typed.lower(), ()):
        if name in known:
            return name
    # "unistall" is as near to what others call it.
    meant = {name: next((verb for verb in names[name] if verb in known), None) for name in names}
    candidates = [*known, *(name for name, verb in meant.items() if verb is not None)]
    near = get_close_matches(typed.lower(), candidates, n=1, cutoff=0.65)
    return (meant.get(near[0]) or near[0]) if near else None
