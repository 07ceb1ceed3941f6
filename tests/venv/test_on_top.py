"""What users install on top, by pip, uv and Poetry, in every form: it wins, and the store stays as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench
from tests.builders.conftest import pip as pip  # a fixture
from tests.support.mounts import own_places, unmount_below
from tests.support.owner import as_root
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.venv.conftest import Venv, demo_wheel, said, snapshot

LINKS = ("overlay", "farm")
FORMS = (*LINKS, pytest.param("mounted", marks=as_root))

BASE = make_wheel("base", "1.0", {"base.py": "version = '1.0'\n"})

#: What the index has: another version of what the store has, and packages that need one or the other.
INDEX = (
    BASE,
    demo_wheel("1.0", "base"),
    demo_wheel("2.0", "base"),
    make_wheel("extra", "1.0", {"extra.py": "x = 1\n"}, metadata=["Requires-Dist: demo"]),
    make_wheel("modern", "1.0", {"modern.py": "x = 1\n"}, metadata=["Requires-Dist: demo>=2"]),
)

VIEW = """
import importlib.metadata as m, json
found = {d.metadata["Name"]: d.version for d in reversed(list(m.distributions()))}
print(json.dumps({name: version for name, version in found.items() if name != "pip"}))
"""


@dataclass(kw_only=True)
class Project:
    """A project with a virtual environment, and the tools that install into it.

    Attributes:
        venv: its environment, which stands on demo 1.0 and base 1.0.
        index: URL of the index.
        pip: words that run pip.
    """

    venv: Venv
    index: str
    pip: Sequence[str]

    @property
    def directory(self) -> Path:
        """The project's directory."""
        return self.venv.directory.parent

    def run(self, *command: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run a command in the project, check its exit code, and return all that it says."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV", "POETRY_"))
        }
        mine = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_CACHE_DIR": "1",
            "UV_NO_CONFIG": "1",
            "UV_DEFAULT_INDEX": self.index,
            "UV_CACHE_DIR": str(self.directory.parent / "uv-cache"),
            "UV_PROJECT_ENVIRONMENT": str(self.venv.directory),
            "UV_PYTHON_DOWNLOADS": "never",
            "POETRY_CACHE_DIR": str(self.directory.parent / "poetry-cache"),
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        words = [str(word) for word in command]
        done = subprocess.run(
            words, cwd=self.directory, env={**kept, **mine, **(env or {})}, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def with_pip(self, *words: str | Path, code: int = 0) -> str:
        """Run pip on the environment."""
        return self.run(*self.pip, "--python", self.venv.directory / "bin" / "python", *words, code=code)

    def with_uv(self, *words: str | Path, code: int = 0) -> str:
        """Run ``uv pip`` on the environment."""
        verb, *rest = words
        return self.run(
            Path(sys.executable).with_name("uv"), "pip", verb, "--python", self.venv.directory, *rest, code=code
        )

    def packages(self) -> dict[str, str]:
        """Return the versions that the environment's Python sees, the first of each name."""
        found: dict[str, str] = json.loads(self.venv.python(VIEW))
        return found

    def demo(self) -> str:
        """Return which demo is imported, and which one the command runs."""
        command = said(self.venv.directory / "bin" / "tool").split()[0]
        return f"{self.venv.python('import demo; print(demo.version)')} {command}"


@pytest.fixture(params=FORMS)
def project(
    request: pytest.FixtureRequest,
    workbench: Workbench,
    venv: Venv,
    serve: Callable[..., WheelServer],
    pip: Sequence[str],
) -> Iterator[Project]:
    """A project with an environment of each form."""
    make = workbench.mounted if request.param == "mounted" else workbench.env
    venv.env = make(demo_wheel("1.0", "base"), BASE, name="project")
    venv.environment = own_places(workbench.root)
    venv(f"--{request.param}")
    yield Project(venv=venv, index=serve(*INDEX).index, pip=pip)
    unmount_below(workbench.root)


@pytest.fixture(autouse=True)
def check_store(project: Project) -> Iterator[None]:
    """Check that whatever a test does leaves the store as it was."""
    before = snapshot(project.venv.env.parent)
    yield
    assert snapshot(project.venv.env.parent) == before


def is_mounted(project: Project) -> bool:
    return project.venv.directory.is_mount()


def is_managed(project: Project) -> bool:
    """Tell whether installers see every package as one that they may remove."""
    return is_mounted(project) or (project.venv.directory / ".nixgen/farm").exists()


def put_back(project: Project) -> None:
    """Have what was removed back: in a farm beside what was added, mounted with nothing else."""
    project.venv("--reset" if is_mounted(project) else "--farm")


@pytest.mark.parametrize("project", LINKS, indirect=True)  # mounted: test_mounted.py
def test_pip(project: Project) -> None:
    """pip sees the packages, adds, upgrades and uninstalls; ``pip check`` tells the truth at each step."""
    assert project.packages() == {"demo": "1.0", "base": "1.0"}
    project.with_pip("install", "extra")
    assert project.packages() == {"demo": "1.0", "base": "1.0", "extra": "1.0"}
    project.with_pip("install", "--no-deps", "modern")
    assert "modern 1.0 has requirement demo>=2" in project.with_pip("check", code=1)
    project.with_pip("install", "--upgrade", "demo")
    assert project.packages()["demo"] == "2.0" and project.demo() == "2.0 2.0"
    project.with_pip("check")
    assert project.venv("--check").stdout == ""
    project.with_pip("uninstall", "-y", "modern", "demo")
    if is_managed(project):
        assert project.packages() == {"base": "1.0", "extra": "1.0"}
        assert "requires demo" in project.with_pip("check", code=1)
        assert project.venv("--heal", "--check").stdout == ""
        project.venv("--farm")
    else:
        assert "commands are missing" in project.venv("--heal").stderr
    assert project.packages() == {"demo": "1.0", "base": "1.0", "extra": "1.0"} and project.demo() == "1.0 1.0"
    project.with_pip("check")


def test_pip_uninstalls_what_the_store_has(project: Project) -> None:
    """pip uninstalls a package of the store; in an overlay it says that it cannot."""
    said = project.with_pip("uninstall", "-y", "base")
    assert ("outside environment" in said) is not is_managed(project)
    assert ("base" in project.packages()) is not is_managed(project)


def test_pip_installs_the_same_version_again(project: Project) -> None:
    """--force-reinstall puts real files in the place of what the store has."""
    project.with_pip("install", "--force-reinstall", "--no-deps", "demo==1.0")
    assert not (project.venv.site / "demo/data.txt").is_symlink()
    assert project.demo() == "1.0 1.0"
    assert project.venv().stderr == ""


def test_editable(project: Project) -> None:
    """An editable install wins over the store's package of that name."""
    source = project.directory / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    name, content = make_wheel("demo", "9.0", {"__editable__.demo.pth": f"{source}/src\n"})
    (source / name).write_bytes(content)
    (source / "backend.py").write_text(
        "import shutil\n"
        "def get_requires_for_build_editable(settings=None): return []\n"
        "def build_editable(directory, settings=None, metadata=None):\n"
        f"    return shutil.copy({name!r}, directory).rpartition('/')[2]\n"
    )
    (source / "src").mkdir()
    (source / "src/demo.py").write_text("version = 'editable'\n")
    install = project.with_pip if is_managed(project) else project.with_uv
    install("install", "--no-deps", "-e", source)
    assert project.venv.python("import demo; print(demo.version)") == "editable"
    assert project.packages()["demo"] == "9.0"
    project.with_uv("uninstall", "demo")
    if is_managed(project):
        put_back(project)
    else:
        project.venv("--overlay")
    assert project.demo() == "1.0 1.0"


def test_uv_pip(project: Project) -> None:
    """uv manages all packages. Of an overlay it sees what lies on top: its own, which win."""
    listed = {entry["name"] for entry in json.loads(project.with_uv("list", "--format", "json", "-q"))}
    assert listed == ({"base", "demo"} if is_managed(project) else set())
    project.with_uv("install", "extra")
    assert project.demo() == ("1.0 1.0" if is_managed(project) else "2.0 2.0")
    project.with_uv("install", "demo==2.0", "modern")
    assert project.demo() == "2.0 2.0"
    project.with_uv("check")
    project.with_uv("install", "--reinstall", "demo==1.0", "extra", code=0)
    assert project.packages()["demo"] == "1.0"
    project.with_uv("uninstall", "demo", "extra", "modern", "base")
    if is_managed(project):
        assert project.packages() == {}
        put_back(project)
    else:
        project.venv("--heal")
    assert project.packages() == {"demo": "1.0", "base": "1.0"} and project.demo() == "1.0 1.0"


def test_uv_pip_copies(project: Project) -> None:
    """Where uv copies instead of linking, it does not write through links either."""
    for version in ("2.0", "1.0", "2.0"):
        project.with_uv("install", "--link-mode", "copy", "--reinstall", f"demo=={version}")
    assert project.demo() == "2.0 2.0"


def test_uv_sync(project: Project) -> None:
    """``uv sync`` keeps the environment, and brings it to the project's lock."""
    uv = Path(sys.executable).with_name("uv")
    text = '[project]\nname = "project"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["extra", "demo<2"]\n'
    (project.directory / "pyproject.toml").write_text(text)
    said = project.run(uv, "sync")
    assert "Removed virtual environment" not in said
    assert project.packages() == {"base": "1.0", "demo": "1.0", "extra": "1.0"}
    assert ("demo" in said) is not is_managed(project)
    (project.directory / "pyproject.toml").write_text(text.replace('"demo<2"', '"demo>=2"'))
    project.run(uv, "sync")
    assert project.demo() == "2.0 2.0"
    (project.directory / "pyproject.toml").write_text(text.replace(', "demo<2"', "").replace("extra", "base"))
    project.run(uv, "sync")
    assert project.packages() == {"base": "1.0", **({} if is_managed(project) else {"demo": "1.0"})}
    assert project.venv("--heal").stderr == "" or not is_managed(project)


@pytest.fixture(scope="session")
def poetry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Poetry, in an environment of its own."""
    directory = tmp_path_factory.mktemp("poetry") / "venv"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, directory], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", directory, "poetry"], check=True)
    return directory / "bin" / "poetry"


@pytest.mark.registry
def test_poetry(project: Project, poetry: Path) -> None:
    """``poetry install`` sees what the store has, adds, upgrades and downgrades, and installs the project itself."""
    (project.directory / "mine").mkdir()
    (project.directory / "mine/__init__.py").write_text("")
    (project.directory / "README.md").write_text("")
    text = (
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["extra", "demo<2"]\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
        f'[[tool.poetry.source]]\nname = "loopback"\nurl = "{project.index}"\npriority = "primary"\n'
    )

    def install(text: str, *words: str) -> str:
        (project.directory / "pyproject.toml").write_text(text)
        project.run(poetry, "lock", "--no-interaction")
        return project.run(poetry, *(words or ["install"]), "--no-interaction")

    said = install(text)
    assert "Installing extra" in said and "Installing demo" not in said
    assert project.packages() == {"base": "1.0", "demo": "1.0", "extra": "1.0", "mine": "1"}
    assert project.venv.python("import mine; print(mine.__file__)") == f"{project.directory}/mine/__init__.py"
    install(text.replace("demo<2", "demo>=2"))
    assert project.demo() == "2.0 2.0"
    install(text.replace(', "demo<2"', "").replace("extra", "base"), "sync")
    assert ("demo" in project.packages()) is not is_managed(project)
    assert "extra" not in project.packages()
    project.venv("--heal")
    assert project.packages()["base"] == "1.0" and project.venv("--check").stdout == ""
    shutil.rmtree(project.directory / "mine")
