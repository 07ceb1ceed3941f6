"""Locks of Poetry, PDM and Pipenv: taken as they are, with the files that have their hashes."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from poetry.core.constraints.version import parse_constraint

from nixgen import inputs
from nixgen.errors import InputError, VerificationError
from nixgen.inputs import Inputs, ResolverOptions
from nixgen.inputs.pdm import _Project as PdmProject
from nixgen.inputs.poetry_project import PoetryProject, content_hashes
from nixgen.model import ALWAYS, Clause
from nixgen.targets import Target
from tests.inputs.conftest import AddSource, AddWheel
from tests.support.wheels import make_wheel

LINUX = Target.parse("3.11", "x86_64-linux")
NEWER = Target.parse("3.13", "x86_64-linux")
MAC = Target.parse("3.11", "aarch64-darwin")

POETRY_PROJECT = """
[tool.poetry]
name = "me"
version = "1"
description = ""
authors = []
[tool.poetry.dependencies]
python = ">=3.10"
base = {version = "^1.0", extras = ["More_Of"]}
multi = [{version = "<2", python = "<3.12"}, {version = ">=2", python = ">=3.12"}]
macos = {version = "*", markers = "sys_platform == 'darwin'"}
server = {version = "*", optional = true}
[tool.poetry.extras]
Web_UI = ["server"]
[tool.poetry.group.dev.dependencies]
checker = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
writer = "*"
"""

PDM_PROJECT = """
[project]
name = "me"
version = "1"
requires-python = ">=3.10"
dependencies = ["base[more-of]>=1", "multi<2; python_version<'3.12'", "multi>=2; python_version>='3.12'",
  "macos; sys_platform=='darwin'"]
[project.optional-dependencies]
Web_UI = ["server"]
[dependency-groups]
dev = ["checker"]
[tool.pdm.dev-dependencies]
docs = ["writer"]
"""

PIPFILE = """
[[source]]
name = "pypi"
url = "https://index.example.org/simple"
verify_ssl = true
[packages]
Base = {version = ">=1", extras = ["more-of"]}
[dev-packages]
checker = "*"
"""

#: Name, version, of what parts, marker, requirements of each package.
PACKAGES = (
    ("base", "1.0", ("",), "", ("core>=1", "more; extra == 'more-of'", "never; extra == 'other'")),
    ("checker", "1.0", ("group:dev",), "", ("core<2", "shared")),
    ("core", "1.0", ("", "group:dev"), "", ()),
    ("macos", "1.0", ("",), "sys_platform == 'darwin'", ()),
    ("more", "1.0", ("",), "", ()),
    ("multi", "1.0", ("",), "python_version < '3.12'", ()),
    ("multi", "2.0", ("",), "python_version >= '3.12'", ()),
    ("server", "1.0", ("extra:web-ui",), "", ("shared",)),
    ("shared", "1.0", ("extra:web-ui", "group:dev"), "", ()),
    ("writer", "1.0", ("group:docs",), "", ()),
)

#: What each target gets, of all forms.
EXPECTED: Mapping[str, tuple[Clause, ...]] = {
    "base 1.0": ALWAYS,
    "checker 1.0": (("group:dev",),),
    "core 1.0": ALWAYS,
    "more 1.0": ALWAYS,
    "server 1.0": (("extra:web-ui",),),
    "shared 1.0": (("extra:web-ui",), ("group:dev",)),
    "writer 1.0": (("group:docs",),),
}


@pytest.fixture
def hashes(add_wheel: AddWheel) -> Mapping[tuple[str, str], str]:
    """Add the wheels of ``PACKAGES``, and newer ones that no lock names; give their hashes."""
    for name in ("base", "core", "checker", "shared"):
        add_wheel(name, "9.0")
    return {
        (name, version): hashlib.sha256(add_wheel(name, version, *requires).read_bytes()).hexdigest()
        for name, version, _, _, requires in PACKAGES
    }


def poetry(version: str, hashes: Mapping[tuple[str, str], str], project: str = POETRY_PROJECT) -> dict[str, str]:
    """Write a Poetry project: its lock says for whom a package is in format 2.1 only."""

    lines: list[str] = []
    for name, number, parts, marker, requires in PACKAGES:
        lines += ["[[package]]", f'name = "{name}"', f'version = "{number}"', 'description = ""', "optional = false"]
        lines += ['python-versions = ">=3.8"']
        if version != "1.1":
            lines += [f"files = [{_file(name, number, hashes)}]"]
        if version == "2.1":
            groups = ["main" if part == "" or part.startswith("extra") else part[6:] for part in parts]
            lines += [f"groups = {json.dumps(list(dict.fromkeys(groups)))}"]
            texts = {}
            for part, group in zip(parts, groups, strict=True):
                extra = f'extra == "{part[6:]}"' if part.startswith("extra") else ""
                texts[group] = " and ".join(filter(None, [marker, extra]))
            if len(set(texts.values())) == 1:
                lines += [f"markers = {json.dumps(next(iter(texts.values())))}"] if any(texts.values()) else []
            else:
                tables = ", ".join(f"{group} = {json.dumps(text)}" for group, text in texts.items() if text)
                lines += [f"markers = {{{tables}}}"]
        if requires:
            lines += ["[package.dependencies]"]
            for one in requires:
                required, _, condition = one.partition("; ")
                bare = required.rstrip("<>=0123456789")
                constraint = required[len(bare) :] or "*"
                optional = ", optional = true" if condition else ""
                said = f", markers = {json.dumps(condition)}{optional}" if condition else ""
                lines += [f"{bare} = {{version = {json.dumps(constraint)}{said}}}"]
    lines += ["[extras]", 'web-ui = ["server"]', "[metadata]", f'lock-version = "{version}"']
    lines += ['python-versions = ">=3.10"', f'content-hash = "{sorted(content_hashes(tomllib.loads(project)))[0]}"']
    if version == "1.1":
        lines += ["[metadata.files]"]
        names = dict.fromkeys(name for name, *_ in PACKAGES)
        for name in names:
            listed = ", ".join(_file(name, number, hashes) for other, number, *_ in PACKAGES if other == name)
            lines += [f"{name} = [{listed}]"]
    return {"pyproject.toml": project, "poetry.lock": "\n".join(lines)}


def pdm(inherit: bool, hashes: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Write a PDM project; packages with extras have an entry of their own, as PDM writes them."""

    lines = ["[metadata]", 'groups = ["default", "Web_UI", "dev", "docs"]', 'lock_version = "4.5.0"']
    digest = sorted(PdmProject(tomllib.loads(PDM_PROJECT), Path("p")).content_hashes())[0]
    lines += [
        f'strategy = ["{"inherit_metadata" if inherit else "cross_platform"}"]',
        f'content_hash = "sha256:{digest}"',
    ]
    for name, number, parts, marker, requires in PACKAGES:
        plain = [one for one in requires if "extra" not in one]
        entries: list[tuple[str, Sequence[str]]] = [("", plain)]
        if any("more-of" in one for one in requires):
            entries.append(('extras = ["more-of"]', ["base==1.0", "more"]))
        for extras, required in entries:
            lines += ["[[package]]", f'name = "{name}"', f'version = "{number}"', 'requires_python = ">=3.8"', extras]
            if inherit:
                groups = ["default" if part == "" else "Web_UI" if "web" in part else part[6:] for part in parts]
                lines += [f"groups = {json.dumps(groups)}", f"marker = {json.dumps(marker)}" if marker else ""]
            lines += [f"dependencies = {json.dumps(list(required))}", f"files = [{_file(name, number, hashes)}]"]
    return {"pyproject.toml": PDM_PROJECT, "pdm.lock": "\n".join(lines)}


def pipenv(hashes: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Write a Pipenv project, which has no extras and one version of each package."""
    wanted: dict[str, dict[str, object]] = {"default": {}, "develop": {}}
    for name, number, parts, marker, _ in PACKAGES:
        for part in parts:
            if part in ("", "group:dev") and (name, number) != ("multi", "2.0"):
                said = {"version": f"=={number}", "hashes": [f"sha256:{hashes[name, number]}"]}
                wanted["default" if part == "" else "develop"][name] = said | ({"markers": marker} if marker else {})
    counted = {
        "_meta": {
            "sources": [{"name": "pypi", "url": "https://index.example.org/simple", "verify_ssl": True}],
            "requires": {},
        },
        "default": {"Base": {"version": ">=1", "extras": ["more-of"]}},
        "develop": {"checker": "*"},
    }
    digest = hashlib.sha256(json.dumps(counted, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    meta = {"hash": {"sha256": digest}, "pipfile-spec": 6, "requires": {}, "sources": []}
    return {"Pipfile": PIPFILE, "Pipfile.lock": json.dumps({"_meta": meta, **wanted})}


FORMS: Mapping[str, Callable[[Mapping[tuple[str, str], str]], dict[str, str]]] = {
    "poetry 1.1": lambda hashes: poetry("1.1", hashes),
    "poetry 2.0": lambda hashes: poetry("2.0", hashes),
    "poetry 2.1": lambda hashes: poetry("2.1", hashes),
    "pdm": lambda hashes: pdm(True, hashes),
    "pdm without inherit_metadata": lambda hashes: pdm(False, hashes),
}


def _file(name: str, version: str, hashes: Mapping[tuple[str, str], str]) -> str:
    return f'{{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{hashes[name, version]}"}}'


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Write some files."""
    for name, text in files.items():
        (directory / name).write_text(text)


def read(directory: Path, *targets: Target, no_build: bool = False, **more: object) -> Inputs:
    """Read what a directory holds, with its wheels as the only index."""
    options = ResolverOptions(no_index=True, find_links=(str(directory / "wheels"),), no_build=no_build)
    return inputs.read([], targets=targets or [LINUX], base=directory, options=options, **more)  # type: ignore[arg-type]


def wanted(found: Inputs, target: Target) -> dict[str, tuple[Clause, ...]]:
    """Return what a target gets, and when."""
    return {f"{one.name} {one.version}": one.when for one in found.selections[target.key].packages}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_project(form: str, hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """Every format gives every target the same: versions, extras, groups, systems, what extras of packages bring."""
    write(tmp_path, FORMS[form](hashes))
    found = read(tmp_path, LINUX, NEWER, MAC)
    assert wanted(found, LINUX) == {**EXPECTED, "multi 1.0": ALWAYS}
    assert wanted(found, NEWER) == {**EXPECTED, "multi 2.0": ALWAYS}
    assert wanted(found, MAC) == {**EXPECTED, "multi 1.0": ALWAYS, "macos 1.0": ALWAYS}
    selection = found.selections[LINUX.key]
    assert (selection.extras, selection.groups) == (("web-ui",), ("dev", "docs"))
    assert selection.default_groups == (("dev",) if "poetry" in form else ("dev", "docs"))
    assert {package.wheel.sha256 for package in selection.packages} <= set(hashes.values())
    assert found.origin == ("poetry.lock" if "poetry" in form else "pdm.lock")
    assert set(found.files) == {found.origin, "pyproject.toml"}


def test_pipenv(hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """What is for developers is the group ``dev``, which is no default, as in ``pipenv install``."""
    write(tmp_path, pipenv(hashes))
    found = read(tmp_path, LINUX, MAC)
    expected = {"base 1.0", "core 1.0", "more 1.0", "checker 1.0", "shared 1.0", "multi 1.0"}
    assert wanted(found, LINUX).keys() == expected
    assert wanted(found, MAC).keys() == {*expected, "macos 1.0"}
    assert wanted(found, LINUX)["checker 1.0"] == (("group:dev",),) and wanted(found, LINUX)["core 1.0"] == ALWAYS
    assert found.selections[LINUX.key].default_groups == ()


@pytest.mark.parametrize("form", [*FORMS, "pipenv"])
def test_another_hash(form: str, hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """A file without one of the lock's hashes is not taken: the error names the package and the lock."""
    wrong = {**hashes, ("core", "1.0"): "0" * 64}
    write(tmp_path, pipenv(wrong) if form == "pipenv" else FORMS[form](wrong))
    with pytest.raises(VerificationError, match=r"core 1\.0") as caught:
        read(tmp_path)
    assert ".lock" in (caught.value.where or "")


@pytest.mark.parametrize("form", [*FORMS, "pipenv"])
def test_older_than_its_project(form: str, hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """A lock that was made from another project is an error with the command to run; nothing is resolved."""
    files = pipenv(hashes) if form == "pipenv" else FORMS[form](hashes)
    project = "Pipfile" if form == "pipenv" else "pyproject.toml"
    changed = files[project].replace("checker", "other-checker")
    assert changed != files[project]
    write(tmp_path, {**files, project: changed})
    with pytest.raises(InputError, match="the lock is older than") as caught:
        read(tmp_path)
    assert f"`{form.split()[0]} lock`" in (caught.value.todo or "")


@pytest.mark.parametrize("form", ["poetry 2.1", "pdm"])
def test_a_python_that_the_lock_is_not_for(form: str, hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """A target's Python that the project excludes is an error that proposes one."""
    write(tmp_path, FORMS[form](hashes))
    with pytest.raises(InputError, match=r"Python >=3\.10") as caught:
        read(tmp_path, Target.parse("3.9", "x86_64-linux"))
    assert "--python 3.10" in (caught.value.todo or "")


@pytest.mark.parametrize("form", ["poetry 1.1", "poetry 2.1", "pdm"])
def test_what_has_no_wheel(
    form: str, hashes: Mapping[tuple[str, str], str], add_source: AddSource, tmp_path: Path
) -> None:
    """A package with a source distribution alone is named; nothing of it runs."""
    source = add_source("core", "1.0")
    (tmp_path / "wheels" / "core-1.0-py3-none-any.whl").unlink()
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    write(tmp_path, FORMS[form]({**hashes, ("core", "1.0"): digest}))
    with pytest.raises(InputError, match=r"core 1\.0 .*only a source distribution"):
        read(tmp_path, no_build=True)
    (package,) = (one for one in read(tmp_path).selections[LINUX.key].packages if one.name == "core")
    assert package.wheel.source is not None and package.wheel.source.sha256 == digest
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            '[package.source]\ntype = "git"\nurl = "https://example.org/r"\nresolved_reference = "abc"',
            "a git repository",
        ),
        ('[package.source]\ntype = "directory"\nurl = "libs/own"', r"a directory \(libs/own\)"),
        ('[package.source]\ntype = "url"\nurl = "https://example.org/own-1.0.tar.gz"', "an archive of its source"),
    ],
)
def test_what_is_from_no_index(table: str, reason: str, hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """Repositories, directories and archives of sources are named with what they are."""
    files = poetry("2.1", hashes)
    own = f'[[package]]\nname = "own"\nversion = "1.0"\ngroups = ["main"]\nfiles = []\n{table}\n'
    files["poetry.lock"] = own + files["poetry.lock"]
    write(tmp_path, files)
    with pytest.raises(InputError, match=reason):
        read(tmp_path, no_build=True)


def test_a_wheel_by_its_path(hashes: Mapping[tuple[str, str], str], tmp_path: Path, add_wheel: AddWheel) -> None:
    """A wheel that the lock has by its path is taken from there, with its hash."""
    path = add_wheel("own", "1.0")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    moved = tmp_path / "libs" / path.name
    moved.parent.mkdir()
    path.rename(moved)
    files = poetry("2.1", hashes)
    own = (
        f'[[package]]\nname = "own"\nversion = "1.0"\ngroups = ["main"]\n'
        f'files = [{{file = "{path.name}", hash = "sha256:{digest}"}}]\n'
        f'[package.source]\ntype = "file"\nurl = "libs/{path.name}"\n'
    )
    files["poetry.lock"] = own + files["poetry.lock"]
    write(tmp_path, files)
    (package,) = (one for one in read(tmp_path).selections[LINUX.key].packages if one.name == "own")
    assert (package.wheel.path, package.wheel.sha256) == (f"libs/{path.name}", digest)


def test_what_else_is_there_is_said(hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """Where several locks stand side by side, the output says which are not read; one that is named is taken."""
    write(tmp_path, {**pipenv(hashes), **poetry("2.1", hashes)})
    found = read(tmp_path)
    assert found.origin == "poetry.lock"
    assert found.notes == ("Pipfile.lock is there too and not read: `nixgen lock Pipfile.lock` would take it",)
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    named = inputs.read([tmp_path / "Pipfile.lock"], targets=[LINUX], base=tmp_path, options=options)
    assert (named.origin, named.notes) == ("Pipfile.lock", ())
    project = inputs.read([tmp_path / "pyproject.toml"], targets=[LINUX], base=tmp_path, options=options)
    assert project.origin == "poetry.lock"


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("poetry.lock", "[metadata]\nlock-version = '3.0'\n", "format 3.0"),
        ("poetry.lock", "", "no lock of Poetry's"),
        ("poetry.lock", "[[package", "no TOML"),
        ("pdm.lock", "[metadata]\nlock_version = '3.1'\n", "format 3.1"),
        ("pdm.lock", "[metadata]\nlock_version = '5.0'\n", "format 5.0"),
        ("Pipfile.lock", "{}", "no Pipfile.lock"),
        ("Pipfile.lock", "{", "no Pipfile.lock"),
        ("Pipfile.lock", '{"_meta": {"pipfile-spec": 7}}', "format 7"),
    ],
)
def test_what_cannot_be_read(name: str, text: str, what: str, tmp_path: Path) -> None:
    """A format that is not known, or no lock at all, is an error that names the file and what to do."""
    write(tmp_path, {"pyproject.toml": PDM_PROJECT, name: text})
    with pytest.raises(InputError, match=what) as caught:
        read(tmp_path)
    assert name in (caught.value.where or "") and caught.value.todo


def test_a_poetry_project_without_a_lock(hashes: Mapping[tuple[str, str], str], tmp_path: Path) -> None:
    """What it asks for is resolved, with its extras and groups, and the note says so."""
    write(tmp_path, {"pyproject.toml": POETRY_PROJECT})
    found = read(tmp_path, LINUX, NEWER, MAC)
    # the newest versions that it allows, and not those of a lock
    newest = {name.replace("checker 1.0", "checker 9.0").replace("shared 1.0", "shared 9.0") for name in EXPECTED}
    newest = {name.replace("core 1.0", "core 9.0") for name in newest}
    assert wanted(found, LINUX).keys() == {*newest, "multi 1.0"}
    assert "multi 2.0" in wanted(found, NEWER) and "macos 1.0" in wanted(found, MAC)
    assert wanted(found, LINUX)["server 1.0"] == (("extra:web-ui",),)
    selection = found.selections[LINUX.key]
    assert (selection.groups, selection.default_groups) == (("dev", "docs"), ("dev",))
    assert found.origin == "pyproject.toml" and "`poetry lock`" in found.notes[-1]
    write(tmp_path, {"pyproject.toml": POETRY_PROJECT.replace('writer = "*"', 'nowhere = "*"')})
    with pytest.raises(InputError, match="nowhere") as caught:
        read(tmp_path)
    assert caught.value.where == "pyproject.toml"


@pytest.mark.parametrize("name", ["Pipfile", "setup.py", "setup.cfg", "environment.yml"])
def test_what_is_not_read_is_named(name: str, tmp_path: Path) -> None:
    """A file that says what is wanted in a way that is not read is named, with what to do."""
    write(tmp_path, {name: ""})
    with pytest.raises(InputError, match=name) as caught:
        read(tmp_path)
    assert caught.value.todo


def test_what_uv_warns_of_is_noted(tmp_path: Path) -> None:
    """A version that was withdrawn is taken, as the tool takes it, and noted."""
    name, content = make_wheel("yank")
    page = tmp_path / "index" / "yank" / "index.html"
    page.parent.mkdir(parents=True)
    (page.parent / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    page.write_text(f'<a href="{name}#sha256={digest}" data-yanked="it breaks">{name}</a>')
    lock = {
        "_meta": {"pipfile-spec": 6, "sources": []},
        "default": {"yank": {"version": "==1.0", "hashes": [f"sha256:{digest}"]}},
    }
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    options = ResolverOptions(default_index=(tmp_path / "index").as_uri())
    found = inputs.read([tmp_path / "Pipfile.lock"], targets=[LINUX], base=tmp_path, options=options)
    assert found.notes == ('`yank==1.0` is yanked (reason: "it breaks")',)


#: What PDM 2.29.4 wrote for these: groups of one name are one, and the root of a workspace counts its members.
NEW_PDM = """
[project]
name = "me"
version = "1"
requires-python = ">=3.11"
dependencies = ["six"]
[dependency-groups]
My_Docs = ["idna"]
[tool.pdm.dev-dependencies]
my-docs = ["pluggy"]
"""
NEW_PDM_MEMBER = '[project]\nname = "mm"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["idna>3"]\n'
NEW_PDM_HASHES = (
    "b3c23cdf4a55a0d669a17b3177a1d1d558fd0e9ca5c03ac5bf7e253cfacda1dd",
    "8f456b8c5819d47745eed7385498c8385e586baa7eed3279fda7ee80820bcb4f",
)


def test_the_content_hash_of_newer_pdms(tmp_path: Path) -> None:
    """It is computed as they do, of a workspace too, where a member that changes changes it."""
    assert NEW_PDM_HASHES[0] in PdmProject(tomllib.loads(NEW_PDM), tmp_path / "pyproject.toml").content_hashes()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "pyproject.toml").write_text(NEW_PDM_MEMBER)
    root = tomllib.loads(NEW_PDM + '[tool.pdm]\ndistribution = false\n[tool.pdm.workspace]\nmembers = ["m"]\n')
    assert PdmProject(root, tmp_path / "pyproject.toml").content_hashes() == {NEW_PDM_HASHES[1]}
    (tmp_path / "m" / "pyproject.toml").write_text(NEW_PDM_MEMBER.replace(">3", ">4"))
    assert PdmProject(root, tmp_path / "pyproject.toml").content_hashes() != {NEW_PDM_HASHES[1]}


@pytest.mark.parametrize(
    "text",
    [
        POETRY_PROJECT,
        '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\nPython = "^3.10"\n'
        "[tool.poetry.dev-dependencies]\ncore = '*'\n",
        '[project]\nname = "both"\nversion = "1"\nrequires-python = ">=3.10"\n[dependency-groups]\n'
        'Docs_More = ["core"]\ntest = ["core"]\n[tool.poetry.group.Docs_More]\noptional = true\n'
        '[tool.poetry.group.extra]\noptional = true\n[tool.poetry.dependencies]\npython = ">=3.10,<4"\n',
        '[project]\nname = "any"\nversion = "1"\n',
    ],
)
def test_a_project_is_what_poetrys_library_makes_of_it(text: str, tmp_path: Path) -> None:
    """Groups, those that are there by default and the Pythons are read without the library, which takes its time."""
    (tmp_path / "pyproject.toml").write_text(text)
    project = PoetryProject.read(tmp_path / "pyproject.toml")
    package = project._package
    names = [name for name in package.dependency_group_names(include_optional=True) if name != "main"]
    assert project.groups == tuple(sorted(map(canonicalize_name, names)))
    optional = {canonicalize_name(name) for name in names if package.dependency_group(name).is_optional()}
    assert project.default_groups == tuple(name for name in project.groups if name not in optional)
    if package.python_constraint.allows_all(parse_constraint(">=3.4")):
        assert project.requires_python() in (None, SpecifierSet())
    else:
        assert project.requires_python() == SpecifierSet(str(package.python_constraint))
