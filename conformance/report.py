"""What was compared as a Markdown page: a row for each set with a cell for each tool, and every difference."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence

from conformance.result import Result
from conformance.sets import RequirementSet
from conformance.tools import TOOLS
from conformance.written import ALIKE, HEAD, LISTS, Written, by_line, equal, last, of_page, of_result, versions_of
from corpus.tables import days, newest, span, table

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
have. What needs a source distribution is in no set. What was not run again keeps what was written of it.
"""


#: What a list says before its lines.
_SAID = {
    ALIKE: "No specification says which to take; nixgen takes the first, as uv does, pip the second:",
}


def page(results: Sequence[Result], sets: Sequence[RequirementSet], before: str = "") -> str:
    """Return the page.

    Args:
        results: what was run.
        sets: the list, in its order.
        before: the page of before: what it says of other locks stays.
    """
    names = [wanted.name for wanted in sets]
    found = {one.key: one for one in newest(map(of_result, results), of_page(before))}
    every = [found[name, tool] for name in names for tool in TOOLS if (name, tool) in found]
    run = {(one.set, one.tool) for one in results}
    kept = [one for one in every if one.key not in run]
    dates = {one.date for one in results} | set(days(before) if kept else ())
    versions = {tool: said for tool, said in versions_of(before).items() if any(one.tool == tool for one in kept)}
    for one in results:
        versions.setdefault(one.tool, set()).add(one.version)
    rows = [[name, *_cells(found, name)] for name in names if any(one.set == name for one in every)]
    lines = [
        _INTRODUCTION,
        f"* {span(dates)}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}; {_versions(versions)}pip newest",
        *_totals(every),
        "",
        "Each cell: the versions in the lock that some target has, how many of the targets are equal, and what no "
        "wheel is for; an empty one was not run.",
        "",
        *table([HEAD, *rows]).splitlines(),
    ]
    for title in LISTS:
        listed = [line for one in every for line in one.lines.get(title, ())]
        said = [_SAID[title], ""] if title in _SAID and listed else []
        lines += ["", f"## {title}", "", *said, *(listed or ["None."])]
    return "\n".join([*lines, ""])


def said(one: Result) -> str:
    """Return a line on how a lock compared."""
    if one.unlocked:
        return f"{one.set}, {one.tool}: not locked: {last(one.unlocked)}"
    if one.silent:
        return f"{one.set}, {one.tool}: does not say what it would install: {last(one.silent)}"
    lines = [
        f"{one.set}, {one.tool}: {one.packages} packages, {equal(one)}, locked in {one.lock_seconds:.0f} s, "
        f"by nixgen in {one.seconds:.0f} s"
    ]
    lines += [f"    {line}" for line in one.with_itself]
    lines += [f"    {', '.join(targets)}: {line}" for line, targets in by_line(one).items()]
    return "\n".join(lines)


def _totals(every: Sequence[Written]) -> list[str]:
    compared = [one.numbers for one in every if one.numbers is not None]
    versions, same, targets = (sum(numbers) for numbers in zip(*compared, strict=True)) if compared else (0, 0, 0)
    return [
        f"* {len({one.set for one in every})} sets, {len(every)} locks asked for, {len(compared)} compared, "
        f"with {versions:,} versions in them",
        f"* {targets} times a lock for a target: {same} equal, {targets - same} not",
    ]


def _cells(found: Mapping[tuple[str, str], Written], name: str) -> list[str]:
    return [found[name, tool].cell if (name, tool) in found else "" for tool in TOOLS]


def _versions(versions: Mapping[str, Collection[str]]) -> str:
    told = [f"{name.partition('-1')[0]} {' and '.join(sorted(versions[name]))}" for name in TOOLS if name in versions]
    return "".join(f"{words}, " for words in told)
