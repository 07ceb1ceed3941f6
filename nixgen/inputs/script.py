"""What a script with requirements of its own wants (PEP 723), with the lock that uv writes beside it or without."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from nixgen.errors import InputError
from nixgen.inputs import running
from nixgen.inputs.discover import read_text
from nixgen.inputs.local import LocalWheels
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import Choice, check_python, choose, parse
from nixgen.inputs.uv import Resolution
from nixgen.targets import Target
from nixgen.temporary import temporary_directory

#: The block, as PEP 723 has it.
_BLOCK = re.compile(r"(?m)^# /// script\s*$\s(?P<content>(^#(| .*)$\s)+)^# ///\s*$")


def lock_of_script(path: Path) -> Path:
    """Return where uv writes the lock of a script."""
    return path.with_name(f"{path.name}.lock")


def block_of(text: str) -> Mapping[str, Any]:
    """Return what a script's block says, which is nothing where it has none that can be read."""
    found = _BLOCK.search(text)
    if found is None:
        return {}
    try:
        return _parsed(found["content"])
    except tomllib.TOMLDecodeError:
        return {}


def _parsed(block: str) -> dict[str, Any]:
    return tomllib.loads("\n".join(line[2:] if line.startswith("# ") else line[1:] for line in block.splitlines()))


def read_script(
    path: Path,
    targets: Sequence[Target],
    *,
    where: str,
    base: Path,
    options: ResolverOptions,
    local: LocalWheels,
) -> tuple[dict[str, Choice], list[str]]:
    """Return what every target takes from a script's lock, and notes.

    Args:
        path: the script.
        targets: what to lock for.
        where: its name, for errors.
        base: what paths in the result start from.
        options: the indexes, which uv compares with the lock's.
        local: wheels on disk that are taken in place of the lock's.

    Raises:
        InputError: the lock is broken, or older than the script.
    """
    notes = []
    if options.upgrade or options.upgrade_packages:
        notes.append(f"{where}.lock decides the versions: upgrade them with `uv lock --upgrade --script {path.name}`")
    resolution = _exported(path, where=where, options=options)
    notes += resolution.warnings
    return {
        target.key: choose(
            resolution.lock,
            target,
            where=f"{where}.lock",
            directory=resolution.directory,
            base=base,
            local=local,
            from_source=options.from_source,
        )
        for target in targets
    }, notes


def check_script(path: Path, targets: Sequence[Target], *, where: str) -> None:
    """Do nothing where a script is for the Pythons of all targets.

    Raises:
        InputError: it is not, or its block cannot be read.
    """
    specifiers = python_of_script(path, where=where)
    for target in targets:
        check_python(specifiers, target, where=where)


def python_of_script(path: Path, *, where: str) -> SpecifierSet:
    """Return the Pythons that a script is for.

    Raises:
        InputError: its block cannot be read.
    """
    found = list(_BLOCK.finditer(read_text(path)))
    if len(found) != 1:
        raise InputError(
            "there is no whole block of `# /// script`" if not found else "there are several blocks of `# /// script`",
            where=where,
            todo="correct it: it begins with `# /// script`, ends with `# ///`, and each line between starts with `#`",
        )
    try:
        data = _parsed(found[0]["content"])
        return SpecifierSet(str(data.get("requires-python", "")))
    except (tomllib.TOMLDecodeError, InvalidSpecifier) as error:
        raise InputError(f"its block of requirements is wrong: {error}", where=where, todo="correct it") from error


def _exported(path: Path, *, where: str, options: ResolverOptions) -> Resolution:
    with temporary_directory() as created:
        output = created.resolve() / "pylock.toml"
        arguments = ["export", "--script", os.fspath(path.absolute()), "--format", "pylock.toml", "--no-header"]
        warnings: list[str] = []
        try:
            running.run(
                [*arguments, "--output-file", os.fspath(output), "--locked", *options.shared_arguments()],
                cwd=path.absolute().parent,
                variables=options.environment(),
                warnings=warnings,
            )
        except running.UvFailure as failure:
            raise InputError(
                f"its lock does not fit: {failure}", where=f"{where}.lock", todo=f"run `uv lock --script {path.name}`"
            ) from failure
        lock = parse(output.read_text(encoding="utf-8"), where=f"{where}.lock (exported by uv)")
        return Resolution(lock=lock, directory=output.parent, warnings=tuple(warnings))
