"""The documentation as a site: it builds without a warning, whole, and asks no other server for anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``script/site`` does: dead links, and pages that the menu lacks, are errors."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", directory],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_every_page_is_there_and_found(site: Path) -> None:
    """Each page of docs/ has one of the site, and the search knows it."""
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert len(pages) > 20
    entries = json.loads(read(site, "search/search_index.json"))["docs"]
    found = {entry["location"].partition("#")[0] for entry in entries}
    for page in [*pages, Path("cli.html")]:
        assert (site / page).is_file() and str(page) in found, page


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and pictures are the site's own; links may lead out."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r'src="?(?:https?:)?//[^"> ]+', text), path
        assert not re.findall(r"<link[^>]+href=\"?(?:https?:)?//[^\"> ]+", text), path


def test_the_page_of_the_command_line_has_every_verb(site: Path) -> None:
    """It is what the verbs say themselves."""
    text = read(site, "cli.html")
    listed = subprocess.run([sys.executable, "-m", "nixgen", "--help"], capture_output=True, text=True, check=True)
    verbs = re.findall(r"^    ([a-z]+)  +\S", listed.stdout, re.MULTILINE)
    assert len(verbs) > 15
    for verb in verbs:
        assert f'id="nixgen-{verb}"' in text and f"usage: nixgen {verb} " in text


def test_names_behind_a_language_are_titles(site: Path) -> None:
    """What only tests read behind a block's language is shown as a file's name, or not at all."""
    assert '<span class="filename">pyproject.toml</span>' in read(site, "project.html")
    assert "checkout" not in re.findall(r"language-\S*", read(site, "tutorial.html"))
    assert "```" not in read(site, "tutorial.html")


def read(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")
