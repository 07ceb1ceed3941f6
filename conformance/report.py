"""What was compared as a Markdown page: a row for each set with a cell for each tool, and every difference."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from conformance.result import Result
from conformance.sets import RequirementSet
from conformance.tools import TOOLS

_INTRODUCTION = """\
# Conformance

Made by `script/conformance --write docs/conformance.md`; not edited by hand. Each tool locks each set of
[conformance/sets.toml](../conformance/sets.toml), which are requirements with ranges and extras, and a group `dev`.
The lock is then read by `nixgen lock`, for three Pythons on three systems, and what `nixgen.lock` has for each of these
nine targets is compared with what the tool would install there: name, version and file of every package, without the
group `dev` and with it. That each file has a hash of the tool's lock is compared too.

What the tool would install is asked of the tool, never of nixgen's code:

| tool | for every target | on this machine also |
| --- | --- | --- |
| uv | `uv pip sync --dry-run --python-version … --python-platform …`, on `uv export` | `uv sync --dry-run` |
| poetry, poetry-1.8 | Poetry's `Installer` with its `MockEnv`, where Poetry is installed | `poetry install --dry-run` |
| pdm | PDM's `resolve_from_lockfile` with its `EnvSpec`, where PDM is installed | `pdm sync --dry-run` |
| pipenv | `pipenv requirements`, as pip reads it and evaluates its markers, where Pipenv is installed | |
| pip-tools | `requirements.txt`, as pip reads it and evaluates its markers | |

Which file of a version is taken is pip's word for all of them:
`pip install --dry-run --report - --python-version … --abi … --platform …` among empty wheels with the names that the
index has ([as here](wheel-choice.md)). Where a version has no wheel for a target, `nixgen lock --no-build` has to
refuse that target and to name just these packages.

The locks of Pipenv and pip-tools are for the machine that made them, this one: for other targets they are taken as
they are, too. What a `requirements.txt` lacks there is resolved, by pip as by nixgen, and is listed. Poetry is given
PyPI as any other index, and pip-tools makes no hashes: both ask an interface of PyPI's otherwise that mirrors do not
have. What needs a source distribution is in no set.
"""


def page(results: Sequence[Result], sets: Sequence[RequirementSet]) -> str:
    """Return the page."""
    compared = [one for one in results if one.sides]
    equal = sum(not side.differences for one in compared for side in one.sides)
    number = sum(len(one.sides) for one in compared)
    packages = sum(side.packages for one in compared for side in one.sides)
    versions = {one.tool: one.version for one in results}
    lines = [
        _INTRODUCTION,
        f"* {max((one.date for one in results), default='never')}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; {_versions(versions)}, pip {_pip(versions)}",
        f"* {len({one.set for one in results})} sets, {len(results)} locks asked for, {len(compared)} compared",
        f"* {number} times a lock for a target, {packages:,} packages: {equal} equal, {number - equal} not",
        "",
        "Each cell: the versions in the lock that some target has, how many of the targets are equal, and what no "
        "wheel is for; an empty one was not run.",
        "",
        "| set | " + " | ".join(TOOLS) + " |",
        "| --- |" + " --- |" * len(TOOLS),
    ]
    by_key = {(one.set, one.tool): one for one in results}
    for wanted in sets:
        cells = [_cell(by_key.get((wanted.name, name))) for name in TOOLS]
        lines.append("| " + " | ".join([wanted.name, *cells]) + " |")
    for title, found in (
        ("Differences", _differences(results)),
        ("What a tool could not lock", _unlocked(results)),
        ("Two wheels that fit equally well", _alike(results)),
        ("What a requirements.txt lacks for another target", _added(results)),
        ("No wheel, say both", _refused(results)),
    ):
        listed = list(found)
        lines += ["", f"## {title}", "", *(listed or ["None."])]
    return "\n".join([*lines, ""])


def said(one: Result) -> str:
    """Return a line on how a lock compared."""
    if one.unlocked:
        return f"{one.set}, {one.tool}: not locked: {_last(one.unlocked)}"
    if one.silent:
        return f"{one.set}, {one.tool}: does not say what it would install: {_last(one.silent)}"
    lines = [
        f"{one.set}, {one.tool}: {one.packages} packages, {_equal(one)}, locked in {one.lock_seconds:.0f} s, "
        f"by nixgen in {one.seconds:.0f} s"
    ]
    lines += [f"    {line}" for line in one.with_itself]
    lines += [f"    {', '.join(targets)}: {line}" for line, targets in _by_line(one).items()]
    return "\n".join(lines)


def _cell(one: Result | None) -> str:
    if one is None:
        return ""
    if one.unlocked:
        return "not locked"
    if one.silent:
        return "not said"
    refused = len({name for side in one.sides for name in side.refused})
    return f"{one.packages}: {_equal(one)}" + (f", {refused} without a wheel" if refused else "")


def _equal(one: Result) -> str:
    equal = sum(not side.differences for side in one.sides)
    return f"{equal} of {len(one.sides)} equal"


def _differences(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        if one.silent:
            yield f"* {one.set}, {one.tool} does not say what it would install: {_last(one.silent)}"
        for line in one.with_itself:
            yield f"* {one.set}, {one.tool}, its dry run and its library: {line}"
        for line, targets in _by_line(one).items():
            yield f"* {one.set}, {one.tool} ({', '.join(targets)}): {_last(line)}"


def _by_line(one: Result) -> dict[str, list[str]]:
    """Return each difference with the targets that have it."""
    found: dict[str, list[str]] = {}
    for side in one.sides:
        for line in side.differences:
            found.setdefault(line, []).append(side.target)
    return {line: ["all targets"] if len(keys) == len(one.sides) else keys for line, keys in found.items()}


def _unlocked(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        if one.unlocked:
            yield f"* {one.set}, {one.tool}: {_last(one.unlocked)}"


def _alike(results: Sequence[Result]) -> Iterator[str]:
    pairs = sorted({pair for one in results for side in one.sides for pair in side.alike})
    if pairs:
        yield "No specification says which to take; nixgen takes the first, as uv does, pip the second:"
        yield ""
    for pair in pairs:
        yield f"* {pair}"


def _added(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        for side in one.sides:
            if side.added:
                yield f"* {one.set}, {one.tool} ({side.target}): {', '.join(side.added)}"


def _refused(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        targets: dict[str, list[str]] = {}
        for side in one.sides:
            for name in side.refused:
                targets.setdefault(name, []).append(side.target)
        for name, keys in targets.items():
            yield f"* {one.set}, {one.tool}: {name} ({'all' if len(keys) == len(one.sides) else ', '.join(keys)})"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name.partition('-1')[0]} {versions[name]}" for name in TOOLS if name in versions)


def _pip(versions: dict[str, str]) -> str:
    return "newest" if versions else version("pip")


def _last(text: str) -> str:
    """Return the last line that says something, without paths of this machine."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)] or [""]
    return re.sub(r"(?<![\w:/])/(?:[\w.@+-]+/)+", "…/", lines[-1])[:300].replace("|", "\\|")
