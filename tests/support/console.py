"""Console blocks of Markdown files: read, run in order, and compared with what the text shows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>\S*) *(?P<argument>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)

#: What differs from day to day and from machine to machine: hashes, versions, sizes and counts.
_VARYING = (
    (re.compile(r"[a-z0-9]{32}-"), "HASH-"),
    (re.compile(r"\d[\d,.]*(?:\.dist-info)? ?(?:[kMG]?B|[KMG])\b"), "SIZE"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "N"),
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        kind: the first word of its info string, ``console`` or a language.
        argument: the second word, where there is one.
        text: what stands in it.
    """

    kind: str
    argument: str
    text: str


@dataclass(kw_only=True)
class Command:
    """A command and the output that the text shows; none where it shows none."""

    line: str
    output: list[str] = field(default_factory=list)


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown text."""
    for match in _FENCE.finditer(text):
        yield Block(kind=match["kind"], argument=match["argument"], text=match["text"])


def commands(text: str) -> list[Command]:
    """Return the commands of a console block: lines that start with ``$``, and what follows each."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line=line[2:]))
        else:
            assert found, f"a console block starts with a command, not with {line!r}"
            found[-1].output.append(line)
    return found


def fits(shown: str, real: str) -> bool:
    """Tell whether an output is what a text shows, hashes, versions, sizes and counts aside.

    In what is shown, a line of ``…`` stands for any lines, and ``…`` in a line for anything there.

    >>> fits("read 1.2 MB …", "read 30 kB of 2 MB")
    True
    """
    pattern = ""
    for line in shown.strip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(normalised(part)) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, normalised(real).strip("\n") + "\n") is not None


def normalised(text: str) -> str:
    """Return a text with a word in the place of each hash, version, size and count."""
    for varying, word in _VARYING:
        text = varying.sub(word, text)
    return text


@dataclass(kw_only=True)
class Console:
    """Runs the blocks of one file, one after the other.

    Attributes:
        directory: where commands run; a ``cd`` lasts.
        checkout: where those of blocks named ``console checkout`` run.
        environment: all variables.
        rewrite: applied to commands and files, for what a text says of one machine only.
        elsewhere: commands that are not run here.
        ran: the commands so far.
    """

    directory: Path
    checkout: Path
    environment: Mapping[str, str]
    rewrite: Callable[[str], str] = lambda text: text
    elsewhere: frozenset[str] = frozenset()
    ran: list[str] = field(default_factory=list)

    def run(self, text: str) -> list[str]:
        """Write the files that a Markdown text names, run its commands, and return what went otherwise than shown."""
        problems = []
        for block in blocks(text):
            if block.kind == "console":
                for command in commands(block.text):
                    if command.line not in self.elsewhere:
                        problems += self._run(command, in_checkout=block.argument == "checkout")
            elif "." in block.argument:
                (self.directory / block.argument).write_text(self.rewrite(block.text))
        return problems

    def _run(self, command: Command, *, in_checkout: bool) -> list[str]:
        place = self.directory.parent / ".place"
        script = f'{self.rewrite(command.line)}\ncode=$?\npwd > "{place}"\nexit $code\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.checkout if in_checkout else self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        self.ran.append(command.line)
        if not in_checkout:
            self.directory = Path(place.read_text().strip())
        if done.returncode != 0:
            return [f"$ {command.line}\nended with {done.returncode}:\n{done.stdout}"]
        if command.output and not fits("\n".join(command.output), done.stdout):
            shown = "\n".join(command.output)
            return [f"$ {command.line}\nis shown to print:\n{shown}\nand prints:\n{done.stdout}"]
        return []
