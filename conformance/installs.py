"""What each tool would install of its lock: for this machine by its own dry run, for others by its own library."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from conformance.locks import Made
from conformance.targets import Target
from conformance.tools import TOOLS, Tool, Workshop

#: What is chosen of a lock: its default part, or the group ``dev`` too.
MAIN, EVERYTHING = "without dev", "with dev"

#: Names and versions by what is chosen.
Installed = Mapping[str, frozenset[tuple[str, str]]]

_INSIDE = Path(__file__).resolve().parent / "inside"

#: How long a tool may take to say what it would install, in seconds.
_LIMIT = 900


class SilentError(Exception):
    """A tool does not say what it would install; the text is what it says instead."""


def selections(tool: Tool) -> tuple[str, ...]:
    """Return what can be chosen of a tool's lock."""
    return (MAIN, EVERYTHING) if tool.group else (EVERYTHING,)


def installed(made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    """Return what a tool would install of its lock for each target, by the target's key.

    Raises:
        SilentError: it does not say.
    """
    tool = TOOLS[made.tool]
    return _READERS[tool.name](tool, made, targets, workshop)


def dry_run(made: Made, workshop: Workshop) -> Installed:
    """Return what a tool says that it would install on this machine, with all groups; empty if it has no dry run.

    Raises:
        SilentError: it does not say.
    """
    tool = TOOLS[made.tool]
    reader = _DRY.get(tool.name.partition("-1")[0])
    return {} if reader is None else {EVERYTHING: reader(tool, made, workshop)}


def _uv(tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    found: dict[str, dict[str, frozenset[tuple[str, str]]]] = {target.key: {} for target in targets}
    for chosen in selections(tool):
        lock = made.directory / f"pylock.{'dev' if chosen == EVERYTHING else 'main'}.toml"
        dev = ["--group", "dev"] if chosen == EVERYTHING else ["--no-dev"]
        # Its name is not that of an input of nixgen's: that reads another directory.
        _said(tool, made, workshop, "export", "-q", "--frozen", "--format", "pylock.toml", *dev, "-o", lock)
        for target in targets:
            said = _said(
                tool,
                made,
                workshop,
                *("pip", "sync", "--dry-run", "--target", made.directory / "nowhere"),
                *("--python-version", target.python, "--python-platform", target.platform.uv, lock),
            )
            found[target.key][chosen] = _pins(re.findall(r"^ \+ (\S+)==(\S+)", said, re.MULTILINE))
    return {key: dict(value) for key, value in found.items()}


def _poetry(tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    groups = {MAIN: ["main"], EVERYTHING: ["main", "dev"]}
    asked = {
        "directory": str(made.directory),
        "environments": [target.environment() for target in targets],
        "selections": [groups[chosen] for chosen in selections(tool)],
    }
    return _inside("poetry_install.py", tool, made, targets, workshop, asked, selections(tool))


def _pdm(tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    groups = {MAIN: ["default"], EVERYTHING: ["default", "dev"]}
    asked = {
        "directory": str(made.directory),
        "environments": [{"python": target.python, "platform": target.platform.pdm} for target in targets],
        "selections": [groups[chosen] for chosen in selections(tool)],
    }
    return _inside("pdm_sync.py", tool, made, targets, workshop, asked, selections(tool))


def _pipenv(tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    files: list[tuple[str, Path]] = []
    for chosen, options in ((MAIN, ()), (EVERYTHING, ("--dev",))):
        file = made.directory / f"pipenv-{len(files)}.txt"
        file.write_text(_said(tool, made, workshop, "requirements", *options), encoding="utf-8")
        files.append((chosen, file))
    return _requirements(tool, made, targets, workshop, files)


def _pip_tools(tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop) -> dict[str, Installed]:
    return _requirements(tool, made, targets, workshop, [(EVERYTHING, made.directory / tool.lock)])


def _requirements(
    tool: Tool, made: Made, targets: Sequence[Target], workshop: Workshop, files: Sequence[tuple[str, Path]]
) -> dict[str, Installed]:
    asked = {
        "files": [str(file) for _, file in files],
        "environments": [target.environment() for target in targets],
    }
    return _inside("pip_requirements.py", tool, made, targets, workshop, asked, [chosen for chosen, _ in files])


def _inside(
    program: str,
    tool: Tool,
    made: Made,
    targets: Sequence[Target],
    workshop: Workshop,
    asked: Mapping[str, object],
    chosen: Sequence[str],
) -> dict[str, Installed]:
    """Ask a program that runs by the tool's own interpreter."""
    said = _said(tool, made, workshop, _INSIDE / program, python=True, text=json.dumps(asked))
    return {
        target.key: {name: _pins(pins) for name, pins in zip(chosen, found, strict=True)}
        for target, found in zip(targets, json.loads(said), strict=True)
    }


def _poetry_here(tool: Tool, made: Made, workshop: Workshop) -> frozenset[tuple[str, str]]:
    said = _said(tool, made, workshop, "install", "--dry-run", "--no-root", "--no-interaction")
    # What its new environment has from the start is updated.
    line = r"- (?:Installing|Updating|Downgrading) (\S+) \((?:\S+ -> )?([^)]+)\)(?!.*Skipped)"
    return _pins(re.findall(line, said))


def _pdm_here(tool: Tool, made: Made, workshop: Workshop) -> frozenset[tuple[str, str]]:
    # What is installed beside PDM does not count.
    environment = made.directory / ".venv"
    if not environment.exists():
        _said(TOOLS["uv"], made, workshop, "venv", "-q", "--python", sys.executable, environment)
    _said(tool, made, workshop, "use", "-f", environment / "bin" / "python")
    said = _said(tool, made, workshop, "sync", "--dry-run", "--no-self", "--dev")
    return _pins(re.findall(r"^\s+- (\S+) (\S+)$", said, re.MULTILINE))


def _uv_here(tool: Tool, made: Made, workshop: Workshop) -> frozenset[tuple[str, str]]:
    nothing = str(made.directory / "nothing")
    said = _said(tool, made, workshop, "sync", "--frozen", "--dry-run", UV_PROJECT_ENVIRONMENT=nothing)
    return _pins(re.findall(r"^ \+ (\S+)==(\S+)", said, re.MULTILINE))


def _said(
    tool: Tool,
    made: Made,
    workshop: Workshop,
    *arguments: str | Path,
    python: bool = False,
    text: str = "",
    **more: str,
) -> str:
    done = workshop.run(tool, *arguments, directory=made.directory, seconds=_LIMIT, python=python, text=text, **more)
    if done.code != 0:
        raise SilentError(f"{tool.name} {' '.join(map(str, arguments))}: {done.out[-1000:]}\n{done.err[-3000:]}")
    # uv says what it would do where others say what goes wrong.
    return done.err if tool.name == "uv" and not python else done.out


def _pins(found: Iterable[Sequence[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((canonicalize_name(name), version) for name, version in found)


_READERS: Mapping[str, Callable[[Tool, Made, Sequence[Target], Workshop], dict[str, Installed]]] = {
    "uv": _uv,
    "poetry": _poetry,
    "poetry-1.8": _poetry,
    "pdm": _pdm,
    "pipenv": _pipenv,
    "pip-tools": _pip_tools,
}

_DRY: Mapping[str, Callable[[Tool, Made, Workshop], frozenset[tuple[str, str]]]] = {
    "uv": _uv_here,
    "poetry": _poetry_here,
    "pdm": _pdm_here,
}
