"""Which commands a wheel's entry_points.txt asks for.

Read as ``importlib.metadata`` reads it, since that is what the installed environment will do; the rules
on top keep names inside ``bin/`` and references inside an import statement.
Source: the entry points specification.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping
from importlib.metadata import Distribution, EntryPoint
from os import PathLike
from typing import Never

from nixgen.wheels.findings import Findings, quoted
from nixgen.wheels.members import MAX_PART
from nixgen.wheels.schemes import INTERPRETER

_GROUPS = ("console_scripts", "gui_scripts")
_EXTRAS = re.compile(r"\s*\[[^\[\]]*\]\s*$")


class _Text(Distribution):
    """A distribution of which only entry_points.txt is known."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "entry_points.txt" else None

    def locate_file(self, path: str | PathLike[str]) -> Never:
        raise NotImplementedError


def parse_entry_points(content: bytes, member: str, findings: Findings) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give the console and the GUI commands: name to ``package.module:attribute``, sorted.

    Args:
        content: the bytes of entry_points.txt.
        member: its path in the archive, for messages.
        findings: where unusable names and references are reported.
    """
    try:
        # str() of a decoded error names no content; importlib.metadata raises TypeError on a line without '='
        found = [point for point in _Text(content.decode("utf-8")).entry_points if point.group in _GROUPS]
    except (ValueError, TypeError, AttributeError) as error:
        findings.problems.append(f"{quoted(member)}: it cannot be parsed ({type(error).__name__})")
        return {}, {}
    scripts: dict[str, dict[str, str]] = {group: {} for group in _GROUPS}
    for point in found:
        label = f"{quoted(member)}: {point.group} {quoted(point.name)}"
        problems = [*command_problems(point.name), *_reference_problems(point)]
        findings.problems.extend(f"{label}: {problem}" for problem in problems)
        if problems:
            continue
        reference = _reference(point)
        if scripts[point.group].setdefault(point.name, reference) != reference:
            findings.problems.append(f"{label}: it is defined twice, differently")
    console, gui = (dict(sorted(scripts[group].items())) for group in _GROUPS)
    findings.problems.extend(
        f"{quoted(member)}: {quoted(name)} is a console script and a GUI script at once"
        for name in sorted(console.keys() & gui.keys())
    )
    return console, gui


def command_problems(name: str) -> list[str]:
    """Say why a command's name cannot stand in ``bin/``; nothing where it can."""
    problems = []
    if name in ("", ".", ".."):
        problems.append("it is no name of a file")
    if "/" in name or "\\" in name:
        problems.append("a separator of paths in its name")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        problems.append("a control character in its name")
    if len(name.encode("utf-8", "replace")) > MAX_PART:
        problems.append(f"its name is longer than {MAX_PART} bytes")
    if INTERPRETER.fullmatch(name):
        problems.append("it would replace the environment's own interpreter")
    return problems


def _reference(point: EntryPoint) -> str:
    module, _, attribute = _EXTRAS.sub("", point.value).partition(":")
    return f"{module.strip()}:{attribute.strip()}"


def _reference_problems(point: EntryPoint) -> list[str]:
    module, attribute = _reference(point).split(":", 1)
    if not attribute and ":" not in point.value:
        return [f"the reference {quoted(point.value)} names no attribute (module:attribute)"]
    if not _dotted(module) or not _dotted(attribute):
        return [f"the reference {quoted(point.value)} is not module:attribute"]
    return []


def _dotted(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))
