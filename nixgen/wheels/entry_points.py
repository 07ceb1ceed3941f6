"""Which commands a wheel's entry_points.txt asks for.

It is read by ``nix/builders/index.py``; the rules on top keep names inside ``bin/`` and references inside an import
statement.
Source: the entry points specification.
"""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Mapping

from nixgen.archives.findings import Findings, quoted
from nixgen.archives.names import MAX_PART
from nixgen.library import builder_module
from nixgen.wheels.schemes import is_own_command


def parse_entry_points(content: bytes, member: str, findings: Findings) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give the console and the GUI commands: name to ``package.module:attribute``, sorted.

    A name may be in both: the GUI command stands in ``bin/``, as pip and uv write it last.

    Args:
        content: the bytes of entry_points.txt.
        member: its path in the archive, for messages.
        findings: where unusable names and references are reported.
    """
    builder = builder_module("index")
    try:
        defined: list[tuple[str, str, str]] = builder.commands_of(content.decode("utf-8"))
    except ValueError as error:  # whose text may be content
        findings.problems.append(f"{quoted(member)}: it cannot be parsed ({type(error).__name__})")
        return {}, {}
    scripts: dict[str, dict[str, str]] = {group: {} for group in builder.COMMANDS}
    for group, name, value in defined:
        if group not in scripts:
            continue
        label = f"{quoted(member)}: {group} {quoted(name)}"
        reference: str = builder.reference_of(value)
        problems = [*command_problems(name), *_reference_problems(value, reference)]
        findings.problems.extend(f"{label}: {problem}" for problem in problems)
        if not problems and scripts[group].setdefault(name, reference) != reference:
            findings.problems.append(f"{label}: it is defined twice, differently")
    console, gui = (dict(sorted(commands.items())) for commands in scripts.values())
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
    if is_own_command(name):
        problems.append("it would replace the environment's own command of that name")
    return problems


def _reference_problems(value: str, reference: str) -> list[str]:
    module, attribute = reference.split(":", 1)
    if not attribute and ":" not in value:
        return [f"the reference {quoted(value)} names no attribute (module:attribute)"]
    if not _dotted(module) or not _dotted(attribute):
        return [f"the reference {quoted(value)} is not module:attribute"]
    return []


def _dotted(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))
