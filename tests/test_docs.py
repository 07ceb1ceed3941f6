"""README and docs/: every command in them runs, and what they name exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from nixgen.cli import parsers
from nixgen.targets import default_python
from tests.support.console import Console, blocks, commands, fits
from tests.support.flakes import REGISTRY
from tests.support.locks import index_bytes
from tests.support.modules import NIXMODULES
from tests.support.nix import LIBRARY, NixInstallation, evaluate
from tests.support.nixpkgs import write_nixpkgs
from tests.support.node import node_programs
from tests.support.programs import program

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Commands of a checkout that run elsewhere: the demo in tests/test_scripts.py; the tests are what runs this.
ELSEWHERE = frozenset(["script/demo", "script/test"])

#: The Python of the machine that the pages were written on.
WRITTEN_ON = "3.11"

#: Puts the stand-in in the place of nixpkgs, which is out of reach of tests.
WRAPPER = """\
#!/bin/sh
verb=$1
shift
case $verb in -* | key) exec {nix} "$verb" "$@" ;; esac
exec {nix} "$verb" --override-input nixpkgs path:{nixpkgs} --no-write-lock-file --option flake-registry {registry} "$@"
"""

#: As that of nixmodules.
#: A tool that is put there when a page calls it first.
TOOL = """\
#!/bin/sh
export PDM_CHECK_UPDATE=false PIPENV_VERBOSITY=-1 WORKON_HOME=$HOME/pipenv NO_COLOR=1
exec "$({python} -c 'from tests.support.tools import tool; print(tool("{name}"))')" "$@"
"""

#: npm, with Node.js ahead of all others: it is asked where both are before this stands in its place.
NPM = """\
#!/bin/sh
PATH={programs}:$PATH
export PATH npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
exec {programs}/{name} "$@"
"""

MODULEIT = """\
#!/bin/sh
exec nix-build {nixmodules}/pkgs/moduleit/entrypoint.nix --argstr configPath "$(realpath "$1")"
"""


@pytest.fixture(scope="module")
def nixpkgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for nixpkgs."""
    return write_nixpkgs(tmp_path_factory.mktemp("nixpkgs") / "nixpkgs")


@pytest.fixture
def console(nix_store: NixInstallation, nixpkgs: Path, tmp_path: Path) -> Console:
    """A shell in an empty directory, with nixgen, Nix with a store of its own, and a copy of the tracked files."""
    checkout, project, home, programs = (tmp_path / name for name in ("checkout", "project", "home", "bin"))
    for directory in (project, home, programs):
        directory.mkdir()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    scripts = {
        "nix": WRAPPER.format(nix=shutil.which("nix"), nixpkgs=nixpkgs, registry=REGISTRY),
        "nixgen": f'#!/bin/sh\nexec {sys.executable} -m nixgen "$@"\n',
        "uv": f'#!/bin/sh\nexec {find_uv_bin()} "$@"\n',
        "moduleit": MODULEIT.format(nixmodules=NIXMODULES),
        **{name: TOOL.format(python=sys.executable, name=name) for name in ("pdm", "pipenv")},
        **{name: NPM.format(programs=node_programs(), name=name) for name in ("npm", "node")},
        "skopeo": f'#!/bin/sh\nexec {program("skopeo")} "$@"\n',
        "mkfs.erofs": f'#!/bin/sh\nexec {program("mkfs.erofs", "erofs-utils")} "$@"\n',
    }
    for name, script in scripts.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    path = os.pathsep.join([str(programs), nix_store.env["PATH"]])
    python = default_python()

    def rewrite(text: str) -> str:
        return text.replace(WRITTEN_ON, python).replace(WRITTEN_ON.replace(".", ""), python.replace(".", ""))

    return Console(
        directory=project,
        checkout=checkout,
        environment={
            **{name: value for name, value in nix_store.env.items() if not name.startswith("UV_")},
            "HOME": str(home),
            # A page is a first time with nixgen; with uv it need not be.
            "XDG_CACHE_HOME": str(home / ".cache"),
            "UV_CACHE_DIR": subprocess.run(
                [find_uv_bin(), "cache", "dir"], capture_output=True, text=True, check=True
            ).stdout.strip(),
            "NIX_PATH": f"nixpkgs={nixpkgs}",
            # What pip puts there is used once.
            "PIP_NO_COMPILE": "1",
            # What is mounted is known to the machine.
            "NIXGEN_STATE_DIR": str(tmp_path / "state"),
            "NIXGEN_RUN_DIR": str(tmp_path / "run"),
            "PATH": path,
            "PYTHONPATH": str(ROOT),
        },
        rewrite=rewrite,
        elsewhere=ELSEWHERE,
    )


@pytest.mark.nix
@pytest.mark.registry
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_do_what_the_page_shows(page: Path, console: Console, nix_store: NixInstallation) -> None:
    """The commands of a page run in their order, from an empty directory, and print what the page shows."""
    text = page.read_text().replace("/nix/store/", f"{nix_store.path}/")
    assert "\n\n".join(console.run(text)) == ""


def test_commands_that_are_not_run_are_few() -> None:
    """Every command that is run elsewhere is on a page, and a file of this repository."""
    shown = {
        command.line
        for page in PAGES
        for block in blocks(page.read_text())
        if block.kind == "console"
        for command in commands(block.text)
    }
    assert shown >= ELSEWHERE
    assert all(os.access(ROOT / line.split()[0], os.X_OK) for line in ELSEWHERE)


def test_what_contributors_read_is_there() -> None:
    """Each file and folder that CONTRIBUTING.md names exists, as do the names in them that it tells."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = [name for name in re.findall(r"`([\w/]+(?:/|\.\w+|/\w+))`", text) if name != ".nixgen/state"]
    assert len(named) > 30
    beside = ("", "nix/builders/")
    assert [name for name in named if not any((ROOT / place / name).exists() for place in beside)] == []
    commands = re.findall(r"^script/(\w+)((?: tests/\w+)?)", text, re.MULTILINE)
    assert len(commands) == 5
    for script, part in commands:
        assert os.access(ROOT / "script" / script, os.X_OK) and (ROOT / part.strip()).is_dir()
    for file, name in (("discover.py", "Kind"), ("__init__.py", "_READERS")):
        assert re.search(rf"^(class )?{name}\b", (ROOT / "nixgen/inputs" / file).read_text(), re.MULTILINE)


def test_verbs_and_options_exist() -> None:
    """Each verb and option of nixgen that a page names is in the help."""
    helps = {verb: parser.format_help() for verb, parser in parsers()[1].items()}
    named = [line for page in PAGES for line in _nixgen_lines(page.read_text())]
    assert len(named) > 20
    for line in named:
        words = [word for word in shlex.split(line.replace("…", ""), comments=True) if word != "--"]
        verb, options = words[1], [word.partition("=")[0] for word in words[2:] if word.startswith("-")]
        if verb in ("VERB", "--version", "--help", "lokc"):  # the last one is mistyped to be corrected
            continue
        assert verb in helps, line
        if verb not in ("run", "shell", "image"):
            assert all(re.search(rf"(?<![\w-]){option}(?![\w-])", helps[verb]) for option in options), line
    every = "".join(helps.values())
    for page in PAGES:
        for option in re.findall(r"`(--[a-z-]+)", page.read_text()):
            assert option in every, f"{page.name}: {option}"


def _nixgen_lines(text: str) -> list[str]:
    quoted = re.findall(r"`(nixgen [a-zA-Z-][^`]*)`", text)
    typed = [
        command.line
        for block in blocks(text)
        if block.kind == "console"
        for command in commands(block.text)
        if command.line.startswith("nixgen ")
    ]
    return quoted + typed


@pytest.mark.nix
def test_every_exported_function_is_documented(nix_store: NixInstallation) -> None:
    """docs/nix-api.md has a section for each attribute of the library, and for no other."""
    exported = evaluate("builtins.attrNames nixgen", nix_store.env)
    text = (ROOT / "docs" / "nix-api.md").read_text()
    functions = text.partition("\n## Functions\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^### (\S+)$", functions, re.MULTILINE)) == sorted(exported)


@pytest.mark.nix
def test_the_arguments_of_default_nix_are_documented(nix_store: NixInstallation) -> None:
    """The table of arguments names those of the template of nix/default.nix."""
    template = ROOT / "nixgen" / "emit" / "templates" / "default.nix.j2"
    arguments = evaluate("builtins.functionArgs (import (/. + template))", nix_store.env, template=str(template))
    text = (ROOT / "docs" / "nix-api.md").read_text()
    section = text.partition("\n## nix/default.nix\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(arguments)


def test_the_keys_of_the_lock_are_documented() -> None:
    """Every key of a lock in this repository is in a table of docs/lock-format.md."""
    text = (ROOT / "docs" / "lock-format.md").read_text()
    lock = json.loads((ROOT / "tests" / "flake" / "nixgen.lock").read_text())
    package = lock["packages"][0]
    index = json.loads(index_bytes((package["wheel"], (ROOT / "tests" / "flake" / package["path"]).read_bytes())))
    keys = {*lock, *lock["targets"][0], *package, *index, "url", "prefer", "targets", "when", "placement"}
    keys |= {"dataDir", "scripts"}
    assert {key for key in keys if not re.search(rf"^\|[^|]*`{key}`", text, re.MULTILINE)} == set()


def test_reasons_of_copies_are_documented() -> None:
    """Every reason that a placement rule gives is in the table of docs/how-it-works.md."""
    rules = (LIBRARY / "builders" / "placement.py").read_text()
    listed = re.search(r"^REASONS = \((.+?)^\)$", rules, re.MULTILINE | re.DOTALL)
    reasons = re.findall(r'"([a-z-]+)"', listed[1] if listed else "")
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    assert reasons
    assert all(f"\n| `{reason}` |" in text for reason in reasons)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links lead to files of this repository, and anchors to headings."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name) if name else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    """A command that fails, or prints something else, is reported; one that does what is shown is not."""
    console = Console(directory=tmp_path, checkout=tmp_path, environment=dict(os.environ))
    page = "```console\n$ mkdir a && cd a\n$ pwd\n…/a\n$ echo 1 word\n2 words\n$ false\n```\n"
    problems = console.run(page)
    assert console.ran == ["mkdir a && cd a", "pwd", "echo 1 word", "false"]
    assert [problem.splitlines()[0] for problem in problems] == ["$ echo 1 word", "$ false"]


def test_shown_output_is_compared_with_care() -> None:
    """Hashes, versions, sizes and counts may differ from what is shown, words may not."""
    assert fits("locked 12 wheels\n…\n/nix/store/x…-env", "locked 3 wheels\na\nb\n/nix/store/x0-env\n")
    assert fits("read 1.2 MB of 39.4 MB (3.0%)", "read 192 kB of 1.3 MB (14.5%)")
    assert not fits("locked 12 wheels", "locked 12 wheels\nwarning: something\n")
    assert not fits("wrote nixgen.lock", "nothing changed")
