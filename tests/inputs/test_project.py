"""Projects: dependencies, extras and groups in agreement, with uv's own lock or without."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from nixgen import inputs
from nixgen.errors import InputError, UsageError
from nixgen.inputs import Inputs, ResolverOptions, running, uv
from nixgen.inputs.parts import _exported
from nixgen.inputs.project import Project
from nixgen.model import ALWAYS, Clause, Source
from nixgen.targets import Target
from tests.inputs.conftest import AddSource, AddWheel

LINUX = Target.parse("3.11", "x86_64-linux")
MAC = Target.parse("3.11", "aarch64-darwin")
NEWER = Target.parse("3.13", "x86_64-linux")

PROJECT = """
[project]
name = "me"
version = "1"
requires-python = ">=3.11"
dependencies = ["base"]
[project.optional-dependencies]
Web_UI = ["server", "shared"]
all = ["me[web-ui]", "extra-only"]
[dependency-groups]
dev = ["shared", "checker", {include-group = "docs"}]
docs = ["writer"]
"""

WANTED = {
    "base": ALWAYS,
    "core": ALWAYS,
    "server": (("extra:all",), ("extra:web-ui",)),
    "shared": (("extra:all",), ("extra:web-ui",), ("group:dev",)),
    "extra-only": (("extra:all",),),
    "checker": (("group:dev",),),
    "writer": (("group:dev",), ("group:docs",)),
}


@pytest.fixture
def wheels(add_wheel: AddWheel, tmp_path: Path) -> Path:
    """Add the wheels that ``PROJECT`` needs; ``checker`` needs an older ``core`` than there is."""
    add_wheel("base", "1.0", "core")
    add_wheel("checker", "1.0", "core<2")
    for version in ("1.0", "2.0"):
        add_wheel("core", version)
    for name in ("server", "shared", "extra-only", "writer"):
        add_wheel(name)
    return tmp_path / "wheels"


#: A backend that alone knows the version.
BACKEND_WITH_A_VERSION = """\
import zipfile
from pathlib import Path

FILES = {
    "METADATA": "Metadata-Version: 2.1\\nName: me\\nVersion: 3.2.1\\n",
    "WHEEL": "Wheel-Version: 1.0\\nGenerator: b\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "RECORD": "me-3.2.1.dist-info/METADATA,,\\nme-3.2.1.dist-info/WHEEL,,\\nme-3.2.1.dist-info/RECORD,,\\n",
}

def build_wheel(directory, config_settings=None, metadata_directory=None):
    found = Path(directory, "me-3.2.1-py3-none-any.whl")
    with zipfile.ZipFile(found, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"me-3.2.1.dist-info/{name}", text)
    return found.name
"""


def read(
    directory: Path,
    text: str,
    *targets: Target,
    extras: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    **options: object,
) -> Inputs:
    path = directory / "pyproject.toml"
    path.write_text(text)
    given = ResolverOptions(no_index=True, find_links=(str(directory / "wheels"),), **options)  # type: ignore[arg-type]
    return inputs.read([path], targets=targets or [LINUX], base=directory, extras=extras, groups=groups, options=given)


def lock(directory: Path, text: str) -> None:
    """Let uv lock the project."""
    (directory / "pyproject.toml").write_text(text)
    running.run(["lock", "--no-index", "--find-links", str(directory / "wheels")], cwd=directory)


def wanted(found: Inputs, target: Target = LINUX) -> dict[str, tuple[Clause, ...]]:
    return {package.name: package.when for package in found.selections[target.key].packages}


def versions(found: Inputs, target: Target = LINUX) -> dict[str, str]:
    return {package.name: package.version for package in found.selections[target.key].packages}


@pytest.mark.parametrize("locked", [False, True])
def test_every_package_knows_what_wants_it(wheels: Path, tmp_path: Path, locked: bool) -> None:
    """Base, extras and groups, through each other too, become conditions; versions agree over all of them."""
    if locked:
        lock(tmp_path, PROJECT)
    found = read(tmp_path, PROJECT, LINUX, MAC)
    assert wanted(found) == WANTED
    assert wanted(found, MAC) == WANTED
    assert versions(found)["core"] == "1.0"
    selection = found.selections[LINUX.key]
    assert (selection.extras, selection.groups) == (("all", "web-ui"), ("dev", "docs"))
    assert selection.default_groups == ("dev",)
    assert found.notes == ()


@pytest.mark.parametrize("locked", [False, True])
def test_only_what_is_chosen_is_locked(wheels: Path, tmp_path: Path, locked: bool) -> None:
    """Restricted to some extras and groups, nothing else is asked for."""
    if locked:
        lock(tmp_path, PROJECT)
    found = read(tmp_path, PROJECT, extras=["web.ui"], groups=[])
    assert list(wanted(found)) == ["base", "core", "server", "shared"]
    assert versions(found)["core"] == ("1.0" if locked else "2.0")
    with pytest.raises(UsageError, match="choose from: dev, docs"):
        read(tmp_path, PROJECT, groups=["test"])


def test_default_groups_are_those_that_are_named(wheels: Path, tmp_path: Path) -> None:
    """[tool.uv] default-groups decides, "all" means each; else ``dev`` is one where there is one, as with uv."""
    assert read(tmp_path, PROJECT).selections[LINUX.key].default_groups == ("dev",)
    (tmp_path / "pyproject.toml").write_text(PROJECT + "[tool.uv]\ndefault-groups = []\n")
    assert Project.read(tmp_path / "pyproject.toml").default_groups == ()
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace("dev =", "test ="))
    assert Project.read(tmp_path / "pyproject.toml").default_groups == ()
    text = PROJECT + '[tool.uv]\ndefault-groups = ["docs"]\n'
    assert read(tmp_path, text).selections[LINUX.key].default_groups == ("docs",)
    (tmp_path / "pyproject.toml").write_text(PROJECT + '[tool.uv]\ndefault-groups = "all"\n')
    assert Project.read(tmp_path / "pyproject.toml").default_groups == ("dev", "docs")


def test_groups_without_a_project_are_enough(wheels: Path, tmp_path: Path) -> None:
    """A pyproject.toml with dependency groups only locks those."""
    found = read(tmp_path, '[dependency-groups]\ndev = ["writer"]\n')
    assert wanted(found) == {"writer": (("group:dev",),)}


def test_every_python_has_its_own_resolution(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Targets with different Pythons may get different versions."""
    add_wheel("base", "1.0", "old; python_version < '3.12'")
    add_wheel("old")
    text = '[project]\nname = "me"\nversion = "1"\ndependencies = ["base"]\n'
    found = read(tmp_path, text, LINUX, NEWER)
    assert list(versions(found)) == ["base", "old"]
    assert list(versions(found, NEWER)) == ["base"]


def test_a_stale_uv_lock_is_an_input_error(wheels: Path, tmp_path: Path) -> None:
    """A uv.lock that does not fit pyproject.toml any more is refused, saying what to run."""
    lock(tmp_path, PROJECT)
    with pytest.raises(InputError, match="run `uv lock`"):
        read(tmp_path, PROJECT.replace('["base"]', '["base", "writer"]'))


def test_a_uv_lock_that_no_python_here_can_check_is_used_with_a_note(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no interpreter fits the project, the lock is taken as it is and the user is told."""
    future = PROJECT.replace(">=3.11", ">=3.30")
    (tmp_path / "pyproject.toml").write_text(future)
    lines = ["version = 1", "revision = 3", 'requires-python = ">=3.30"', "[[package]]", 'name = "me"']
    lines += ['version = "1"', 'source = { virtual = "." }']
    (tmp_path / "uv.lock").write_text("\n".join(lines))
    found = read(tmp_path, future, Target.parse("3.30", "x86_64-linux"), extras=[], groups=[])
    assert "not compared" in found.notes[0]


def test_the_locked_versions_stay_as_uv_has_them(wheels: Path, add_wheel: AddWheel, tmp_path: Path) -> None:
    """With a uv.lock a newer version on the index changes nothing, and --upgrade points to uv."""
    lock(tmp_path, PROJECT)
    add_wheel("base", "3.0")
    found = read(tmp_path, PROJECT, upgrade=True)
    assert versions(found)["base"] == "1.0"
    assert "uv lock --upgrade" in found.notes[0]


@pytest.mark.parametrize("locked", [False, True])
def test_all_packages_without_wheel_are_one_error(
    wheels: Path, add_source: AddSource, tmp_path: Path, locked: bool
) -> None:
    """Extras and groups count too, each package is named once, and no setup.py runs."""
    add_source("sourceone")
    add_source("sourcetwo")
    text = PROJECT.replace('["base"]', '["base", "sourceone"]').replace('["writer"]', '["writer", "sourcetwo"]')
    if locked:  # uv would build them to learn their dependencies, if it were not told
        for name in ("sourceone", "sourcetwo"):
            text += f'[[tool.uv.dependency-metadata]]\nname = "{name}"\nversion = "1.0"\n'
        lock(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, no_build=True)
    for name in ("sourceone", "sourcetwo"):
        line = f"{name} 1.0 (3.11-x86_64-linux): only a source distribution"
        assert str(caught.value).count(line) == 1
    assert not (tmp_path / "ran").exists()


def test_a_project_for_other_pythons_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """requires-python is checked for every target, proposing one that fits."""
    with pytest.raises(InputError, match=r"--python 3\.11\.0"):
        read(tmp_path, PROJECT, Target.parse("3.10", "x86_64-linux"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.ruff]\n", "no [project]"),
        ("[project\n", "no TOML"),
        ("project = 3\n", "project is no table"),
        ('[project]\nrequires-python = "three"\n', "requires-python"),
    ],
)
def test_a_broken_project_is_an_input_error(tmp_path: Path, text: str, expected: str) -> None:
    """What cannot be a project says file and reason."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value) and "pyproject.toml" in str(caught.value)


def test_indexes_of_the_project_are_known_for_their_logins(wheels: Path, tmp_path: Path) -> None:
    """[[tool.uv.index]] is passed on by name and URL."""
    text = PROJECT + '[[tool.uv.index]]\nname = "corp"\nurl = "https://me:s@example.org/simple"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    project = Project.read(tmp_path / "pyproject.toml")
    assert project.indexes == ("corp=https://me:s@example.org/simple",)


def test_any_combination_is_what_uv_would_install(wheels: Path, tmp_path: Path) -> None:
    """For every combination of extras and groups, the conditions give what uv's own export gives."""
    lock(tmp_path, PROJECT)
    found = wanted(read(tmp_path, PROJECT))
    names = ["extra:all", "extra:web-ui", "group:dev", "group:docs"]
    for size in range(len(names) + 1):
        for chosen in itertools.combinations(names, size):
            flags = [f"--{name.replace(':', '=')}" for name in chosen]
            exported = uv.export(
                ["--no-default-groups", *flags],
                cwd=tmp_path,
                where="uv.lock",
                options=ResolverOptions(),
                locked=False,
            )
            ours = {name for name, when in found.items() if any(set(clause) <= set(chosen) for clause in when)}
            assert ours == {package.name for package in exported.lock.packages}


OWN = """\
[project]
name = "Core"
version = "9"
dependencies = ["base"]
optional-dependencies = { web = ["server"] }
[dependency-groups]
dev = ["writer", { include-group = "all" }]
all = ["core[web]"]
docs = ["writer"]
"""


def test_the_projects_own_name_is_never_taken_from_an_index(wheels: Path, tmp_path: Path) -> None:
    """A group that asks for the project itself gets its dependencies and extras; so does a dependency that needs it.

    The index has a package of that name, and ``base`` depends on it.
    """
    found = read(tmp_path, OWN)
    assert "core" not in wanted(found)
    assert wanted(found)["base"] == ((),)
    assert wanted(found)["server"] == (("extra:web",), ("group:all",), ("group:dev",))
    assert wanted(found)["writer"] == (("group:dev",), ("group:docs",))


def test_a_project_without_a_name_takes_what_an_index_has(wheels: Path, tmp_path: Path) -> None:
    """Without [project] there is no name to keep."""
    found = read(tmp_path, '[dependency-groups]\ndev = ["core"]\n')
    assert list(wanted(found)) == ["core"]


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("text", ["core=2", "in i config", "core>=two"])
def test_a_requirement_that_cannot_be_read_is_named(wheels: Path, tmp_path: Path, text: str, locked: bool) -> None:
    """What is no requirement is named, with its table, and not that nothing may be built."""
    if locked:
        lock(tmp_path, PROJECT)
    with pytest.raises(InputError) as caught:
        read(tmp_path, PROJECT.replace('["base"]', f'["base", "{text}"]'))
    assert f"dependencies: '{text}'" in str(caught.value)
    assert "Building" not in str(caught.value)


def test_no_code_of_a_project_with_dynamic_dependencies_runs(wheels: Path, tmp_path: Path) -> None:
    """Where nothing may be built, they are an error without a uv.lock, and with one it is taken, unchecked."""
    lock(tmp_path, PROJECT)
    ran = tmp_path / "ran"
    (tmp_path / "setup.py").write_text(f"open({str(ran)!r}, 'w')\n")
    dynamic = PROJECT.replace('dependencies = ["base"]', 'dynamic = ["dependencies"]')
    dynamic += "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['.']\n"
    (tmp_path / "b.py").write_text(f"open({str(ran)!r}, 'w')\n")
    found = read(tmp_path, dynamic, no_build=True)
    assert wanted(found) == WANTED
    assert any("uv.lock was not compared with pyproject.toml" in note for note in found.notes)
    stale = dynamic.replace('dynamic = ["dependencies"]', 'dynamic = ["version"]\ndependencies = []')
    with pytest.raises(InputError, match=r"does not fit pyproject\.toml"):
        read(tmp_path, stale.replace('version = "1"\n', ""), no_build=True)
    (tmp_path / "uv.lock").unlink()
    with pytest.raises(InputError, match="dependencies are dynamic"):
        read(tmp_path, dynamic, no_build=True)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("table", "version"),
    [
        ("", None),
        ('[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n', "1"),
        ("[tool.uv]\npackage = true\n", "1"),
        ("[tool.uv]\npackage = false\n[build-system]\nrequires = []\n", None),
    ],
)
def test_a_project_that_is_a_package_is_one(wheels: Path, tmp_path: Path, table: str, version: str | None) -> None:
    """What uv sync would install of the project itself is built of its directory, unless it is to be left out."""
    text = PROJECT + table
    found = read(tmp_path, text)
    own = [package for package in found.selections[LINUX.key].packages if package.name == "me"]
    assert [package.version for package in own] == ([] if version is None else [version])
    assert all(package.wheel.source == Source(directory=".") for package in own)
    assert wanted(read(tmp_path, text, no_project=True)) == WANTED


def test_a_version_that_only_code_knows_is_asked_of_it(wheels: Path, tmp_path: Path) -> None:
    """The backend of a project says its version while its repository is there, and a build is told it."""
    (tmp_path / "b.py").write_text(BACKEND_WITH_A_VERSION)
    dynamic = PROJECT.replace('version = "1"', 'dynamic = ["version"]')
    dynamic += '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n'
    assert versions(read(tmp_path, dynamic))["me"] == "3.2.1"


def test_a_member_of_a_workspace_takes_the_roots_lock(wheels: Path, tmp_path: Path) -> None:
    """The uv.lock of the root decides for a member, as with uv; what is no member of it resolves for itself."""
    for name in ("one", "excluded"):
        (tmp_path / "parts" / name).mkdir(parents=True)
    member = '[project]\nname = "one"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["core"]\n'
    one, excluded = (tmp_path / "parts" / name / "pyproject.toml" for name in ("one", "excluded"))
    one.write_text(member)
    excluded.write_text(member)
    workspace = '[tool.uv.workspace]\nmembers = ["parts/*"]\nexclude = ["parts/excluded"]\n'
    root = '[project]\nname = "root"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["core<2"]\n'
    lock(tmp_path, root + workspace)
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    found = inputs.read([one], targets=[LINUX], base=one.parent, options=options)
    assert versions(found) == {"core": "1.0"}
    assert set(found.files) == {"pyproject.toml", "../../uv.lock"}  # what a build compares
    found = inputs.read([excluded], targets=[LINUX], base=excluded.parent, options=options)
    assert versions(found) == {"core": "2.0"}


def test_members_that_a_project_needs_are_built(wheels: Path, tmp_path: Path) -> None:
    """A member is built of its directory, and what it needs is locked."""
    (tmp_path / "part").mkdir()
    head = '[project]\nversion = "1"\nrequires-python = ">=3.11"\n'
    (tmp_path / "part" / "pyproject.toml").write_text(head + 'name = "part"\ndependencies = ["core<2"]\n')
    root = head + 'name = "root"\ndependencies = ["part"]\n[tool.uv.sources]\npart = {workspace = true}\n'
    root += '[tool.uv.workspace]\nmembers = ["part"]\n'
    lock(tmp_path, root)
    found = read(tmp_path, root)
    assert versions(found).keys() == {"core", "part"}
    (part,) = (package for package in found.selections[LINUX.key].packages if package.name == "part")
    assert part.wheel.source == Source(directory="part")


def test_a_root_without_a_project_stands_for_all_members(wheels: Path, tmp_path: Path) -> None:
    """A virtual root has what its members depend on, as ``uv sync`` there has it, with their groups; not themselves."""
    for name, needs in (("one", "core<2"), ("two", "writer")):
        (tmp_path / name).mkdir()
        text = f'[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{needs}"]\n'
        text += '[project.optional-dependencies]\nmore = ["server"]\n[dependency-groups]\ndev = ["shared"]\n'
        (tmp_path / name / "pyproject.toml").write_text(text)
    root = '[tool.uv.workspace]\nmembers = ["one", "two"]\n'
    with pytest.raises(InputError, match="root of a workspace") as caught:
        read(tmp_path, root)
    assert "`uv lock`" in (caught.value.todo or "")
    lock(tmp_path, root)
    found = read(tmp_path, root)
    selection = found.selections[LINUX.key]
    assert versions(found) == {"core": "1.0", "writer": "1.0", "shared": "1.0", "server": "1.0"}
    assert (selection.extras, selection.groups, selection.default_groups) == (("more",), ("dev",), ("dev",))


def test_a_project_that_only_windows_contradicts(wheels: Path, tmp_path: Path) -> None:
    """Each system is resolved by itself where all at once have no solution; its parts agree still."""
    text = PROJECT.replace('dependencies = ["base"]', 'dependencies = ["base", "nowhere; sys_platform==\'win32\'"]')
    found = read(tmp_path, text, LINUX, MAC)
    assert {package.name: package.when for package in found.selections[LINUX.key].packages} == WANTED
    assert versions(found)["core"] == "1.0"  # what the group dev needs
    assert any("each system was resolved by itself" in note for note in found.notes)


CONFLICTS = """
[project]
name = "me"
version = "1"
requires-python = ">=3.11"
dependencies = ["lib", "other"]
[project.optional-dependencies]
a = ["lib==3", "more"]
b = ["lib==2", "apart==1"]
c = ["more", "apart"]
[dependency-groups]
g = ["lib==1"]
[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }, { group = "g" }]]
"""


@pytest.mark.parametrize("locked", [True, False])
def test_extras_and_groups_that_conflict(add_wheel: AddWheel, tmp_path: Path, locked: bool) -> None:
    """Each is locked with what it does to the dependencies, with a uv.lock and without; both are refused by name."""
    for version in "123":
        add_wheel("lib", version)
    for name, version in (("more", "1.0"), ("apart", "1"), ("apart", "2")):
        add_wheel(name, version)
    add_wheel("other", "1.0", "lib")
    (tmp_path / "pyproject.toml").write_text(CONFLICTS)
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    if locked:
        running.run(["lock", *options.shared_arguments()], cwd=tmp_path)
    found = inputs.read([tmp_path / "pyproject.toml"], targets=[LINUX], base=tmp_path, options=options)

    def versions(*chosen: str) -> dict[str, set[str]]:
        result: dict[str, set[str]] = {}
        for package in found.selections[LINUX.key].packages:
            if any(
                all((word[1:] not in chosen) if word.startswith("!") else (word in chosen) for word in clause)
                for clause in package.when
            ):
                result.setdefault(package.name, set()).add(package.version)
        return result

    assert versions() == {"lib": {"3"}, "other": {"1.0"}}
    assert versions("extra:a") == {"lib": {"3"}, "other": {"1.0"}, "more": {"1.0"}}
    assert versions("extra:b") == {"lib": {"2"}, "other": {"1.0"}, "apart": {"1"}}
    assert versions("extra:b", "extra:c")["apart"] == {"1"}
    assert versions("group:g") == {"lib": {"1"}, "other": {"1.0"}}
    assert versions("group:g", "extra:c") == {"lib": {"1"}, "other": {"1.0"}, "more": {"1.0"}, "apart": {"2"}}
    assert versions("extra:a", "extra:b")["lib"] == {"3", "2"}


def test_a_lock_of_a_dynamic_version_is_compared(wheels: Path, tmp_path: Path) -> None:
    """All but the version is compared, of members and of directories beside too, and no code runs."""
    built = "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['.']\n[tool.x]\nat = 2020-01-01\n"
    for directory in ("app", "app/member", "beside"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "b.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'w')\n"
            "import os\n"
            "def prepare_metadata_for_build_editable(directory, config_settings=None):\n"
            "    name = os.path.basename(os.getcwd())\n"
            "    info = f'{directory}/{name}-1.5.dist-info'\n"
            "    os.makedirs(info)\n"
            "    needs = {'app': 'base', 'member': 'core', 'beside': 'writer'}[name]\n"
            "    more = ['member', 'beside'] if name == 'app' else []\n"
            "    with open(f'{info}/METADATA', 'w') as file:\n"
            "        file.write(f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.5\\nRequires-Python: >=3.11\\n')\n"
            "        file.writelines(f'Requires-Dist: {one}\\n' for one in [needs, *more])\n"
            "    return os.path.basename(info)\n"
            "prepare_metadata_for_build_wheel = prepare_metadata_for_build_editable\n"
        )

    def write(directory: str, *needs: str, more: str = "") -> None:
        (tmp_path / directory / "pyproject.toml").write_text(
            f'[project]\nname = "{Path(directory).name}"\ndynamic = ["version"]\nrequires-python = ">=3.11"\n'
            f"dependencies = {list(needs)}\n{more}{built}"
        )

    sources = (
        '[tool.uv.workspace]\nmembers = ["member"]\n[tool.uv.sources]\nmember = { workspace = true }\n'
        'beside = { path = "../beside", editable = true }\n'
    )
    write("app", "base", "member", "beside", more=sources)
    write("app/member", "core")
    write("beside", "writer")
    options = ResolverOptions(no_index=True, find_links=(str(wheels),))
    app = tmp_path / "app"
    running.run(["lock", *options.shared_arguments()], cwd=app)
    (tmp_path / "ran").unlink()

    def compare(at: str = "") -> None:
        project = Project.read(app / at / "pyproject.toml")
        _exported([], project, app / "uv.lock", where="uv.lock", options=options, notes=notes)

    notes: list[str] = []
    compare()
    compare("member")
    assert notes == []
    for directory, before, after in (("app/member", "core", "writer"), ("beside", "writer", "core")):
        write(directory, after)
        with pytest.raises(InputError, match=r"does not fit pyproject\.toml"):
            compare()
        write(directory, before)
    write("app", "base", "member", "beside", "server", more=sources)
    with pytest.raises(InputError, match=r"does not fit pyproject\.toml"):
        compare()
    assert not (tmp_path / "ran").exists()
