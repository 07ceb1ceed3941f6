"""What MkDocs is told beside the pages: the page of the command line, and where its Markdown differs from ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

#: A block of code: its language, and what tests read behind that (tests/support/console.py): a file or a directory.
_FENCE = re.compile(r"^```(\w+) (\S.*)$", re.MULTILINE)

#: A link to a file of the repository that is no page.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!docs/)[^)#]*\.toml\)")

_VERB = re.compile(r"^    ([a-z]+) {2,}\S", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of the command line, made of what each verb says of itself."""
    files.append(File.generated(config, "cli.md", content=_command_line()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make a file's name in a block of code its title, and links out of the pages text."""
    del page, config, files
    return _OUTSIDE.sub(r"\1", _FENCE.sub(_titled, markdown))


def _titled(match: re.Match[str]) -> str:
    language, said = match.groups()
    return f'``` {{ .{language} title="{said}" }}' if "." in said or "/" in said else f"```{language}"


def _command_line() -> str:
    top = _help()
    verbs = list(dict.fromkeys(_VERB.findall(top)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        helps = pool.map(_help, verbs)
    sections = [f"## nixgen {verb}\n\n```text\n{said}```\n" for verb, said in zip(verbs, helps, strict=True)]
    return "\n".join(
        [
            "# The command line\n",
            "What `nixgen --help` and `nixgen VERB --help` print.\n",
            f"```text\n{top}```\n",
            *sections,
        ]
    )


def _help(*verb: str) -> str:
    environment = {**os.environ, "COLUMNS": "90", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "nixgen", *verb, "--help"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
