"""Virtual environments without links: what the kernel shows, what users change in them, and what becomes of it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from uv import find_uv_bin

from nixgen.venv import program
from tests.builders.conftest import Workbench
from tests.builders.conftest import pip as pip  # a fixture
from tests.support.mounts import unmount_below
from tests.support.nix import LIBRARY
from tests.support.owner import UID, as_owner, as_root, give, open_directory, python
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.venv.conftest import demo_wheel, said, snapshot

pytestmark = as_root

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
BASE = make_wheel("base", "1.0", {"base/__init__.py": "version = '1.0'\n", "base/part.py": "x = 1\n"})
OTHER = make_wheel("other", "1.0", {"other.py": "x = 1\n"})
INDEX = (demo_wheel("3.0"), BASE, make_wheel("extra", "1.0", {"extra.py": "x = 1\n"}))


@dataclass(kw_only=True)
class Mounted:
    """Images of a store, and directories that they are mounted over.

    Attributes:
        root: everybody can enter it; holds the store and root's records.
        directory: DIR.
        one: image of demo 1.0 and base 1.0.
        two: image of demo 2.0, base 1.0 and other 1.0.
    """

    root: Path
    directory: Path
    one: Path
    two: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str | Path, image: Path | None = None, code: int = 0, user: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the program of an image, check its exit code and return what it said."""
        command = [(image or self.one) / "bin/nixgen-venv", *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def attach(self, image: Path | None = None) -> str:
        """Mount an image over DIR and return what was said."""
        return self("--mounted", self.directory, image=image or self.one).stderr

    def verb(self, *words: str) -> str:
        """Run a verb of nix/venv/mounted.py that takes no directory, and return what it prints."""
        command = [sys.executable, "-I", "-S", "-B", LIBRARY / "venv/mounted.py", *words]
        return subprocess.run(
            command, env={**os.environ, **self.variables}, capture_output=True, text=True, check=True
        ).stdout

    def table(self) -> list[tuple[str, str]]:
        """Return directories and states of all that is known here: the machine may have others."""
        rows = json.loads(self.verb("table", "--json"))
        return [(row["directory"], row["state"]) for row in rows if row["directory"].startswith(f"{self.root}/")]

    @property
    def site(self) -> Path:
        """Its site-packages."""
        return self.directory / SITE

    def python(self, code: str) -> str:
        """Return what its Python prints."""
        return said(self.directory / "bin/python", "-c", code)

    def versions(self) -> dict[str, str]:
        """Return what its Python takes for installed; each name once, or the test fails."""
        code = (
            "import importlib.metadata as m, json; print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
        )
        found = [(name, version) for name, version in json.loads(self.python(code)) if name != "pip"]
        assert len(dict(found)) == len(found), found
        return dict(found)

    def below(self, name: str) -> Path:
        """Return where a path of the layer lies, which is not to be mounted over just now."""
        assert not os.path.ismount(self.directory)
        return self.directory / ".nixgen/upper" / name


@pytest.fixture(scope="module")
def images() -> Iterator[tuple[Path, Path, Path]]:
    """A directory with a store that everybody can read, and two images in it."""
    with open_directory() as root:
        bench = Workbench(root)
        shutil.copytree(LIBRARY / "venv", root / "store/parts")
        one = bench.mounted(demo_wheel("1.0"), BASE, name="one")
        two = bench.mounted(demo_wheel("2.0"), BASE, OTHER, name="two")
        for image in (one, two):
            for owner in (image, (image / "environment").resolve()):
                program = owner / "bin/nixgen-venv"
                text = program.read_text().replace(str(LIBRARY / "venv"), str(root / "store/parts"))
                program.chmod(0o755)
                program.write_text(text)
            interpreter = (image / "environment").resolve() / "bin/python"
            interpreter.unlink()
            interpreter.symlink_to(python())
        yield root, one, two


@pytest.fixture
def mounted(images: tuple[Path, Path, Path]) -> Iterator[Mounted]:
    """A directory that is not there yet; whatever a test does leaves the store as it was."""
    root, one, two = images
    with open_directory() as place:
        made = Mounted(root=place, directory=place / "project/.venv", one=one, two=two)
        made.variables = {
            "NIXGEN_STATE_DIR": str(place / "records"),
            "NIXGEN_RUN_DIR": str(place / "run"),
            "NIX_STATE_DIR": str(place / "nix"),
            "NIX_STORE_DIR": str(one.parent),
        }
        (place / "nix/gcroots").mkdir(parents=True)
        (place / "project").mkdir()
        before = snapshot(root / "store")
        yield made
        unmount_below(place)
        assert snapshot(root / "store") == before


def test_files_are_real(mounted: Mounted) -> None:
    """DIR is a virtual environment without a link but those of the interpreter, and each file can be written."""
    mounted.attach()
    assert mounted.python("import demo, sys; print(demo.__file__, sys.prefix)") == (
        f"{mounted.site}/demo/__init__.py {mounted.directory}"
    )
    assert said(mounted.directory / "bin/tool", "x") == f"1.0 {mounted.directory} x"
    assert said(mounted.directory / "bin/shell", "x") == "shell x"
    links = {path.name for path in mounted.directory.rglob("*") if path.is_symlink()}
    assert links <= {"lib64", "python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
    assert (mounted.site / "demo/data.txt").stat().st_mode & 0o777 == 0o644
    assert mounted("--check", mounted.directory).stdout == ""
    (line,) = [
        line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {mounted.directory} " in line
    ]
    assert "nosuid,nodev" in line


def test_what_mounts_is_compiled(mounted: Mounted) -> None:
    """The program of an image runs the bytecode that the image has, and needs no source."""
    parts = mounted.one.parent / "parts"
    before = parts.stat()
    (parts / "mounted.py").rename(parts / "aside")
    try:
        mounted.attach()
    finally:
        (parts / "aside").rename(parts / "mounted.py")
        os.utime(parts, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert mounted.versions()["demo"] == "1.0"


def test_an_edit_shows(mounted: Mounted) -> None:
    """A changed source counts, although the environment has bytecode of the one before, of the same size too."""
    mounted.attach()
    assert (
        "matches"
        in subprocess.run(
            [mounted.directory / "bin/python", "-B", "-v", "-c", "import base"],
            capture_output=True,
            text=True,
            check=True,
        )
        .stderr.split("base/__pycache__", 1)[1]
        .split("\n")[0]
    )
    (mounted.site / "base/__init__.py").write_text("version = '9.9'\n")
    assert mounted.python("import base; print(base.version)") == "9.9"


def test_nix_keeps_what_is_mounted(mounted: Mounted) -> None:
    """The image that is shown, and the one of before, are roots of root's own."""
    mounted.attach()
    mounted.attach(mounted.two)
    roots = {path.resolve() for path in (mounted.root / "nix/gcroots/nixgen").iterdir()}
    assert roots == {mounted.one, mounted.two}


def test_pip_and_uv(mounted: Mounted, serve: Callable[..., WheelServer], pip: Sequence[str]) -> None:
    """What installers add, replace and remove lands in the layer, stays removed, and survives a restart."""
    index = serve(*INDEX).index
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    cache = str(mounted.root / "uv")
    variables = {**kept, "UV_CACHE_DIR": cache, "UV_NO_CONFIG": "1", "PIP_CONFIG_FILE": os.devnull}

    def run(*words: str | Path) -> str:
        done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    interpreter = mounted.directory / "bin/python"
    mounted.attach()
    run(find_uv_bin(), "pip", "install", "-q", "--python", interpreter, "--index-url", index, "demo==3.0", "extra")
    assert mounted.versions() == {"base": "1.0", "demo": "3.0", "extra": "1.0"}
    run(*pip, "--python", interpreter, "uninstall", "-qy", "base", "extra")
    assert mounted.versions() == {"demo": "3.0"}
    run(*pip, "--python", interpreter, "install", "-q", "--index-url", index, "extra")
    run(find_uv_bin(), "pip", "check", "--python", interpreter)
    assert mounted("--check", mounted.directory).stdout == ""
    mounted("--unmount", mounted.directory)
    assert "healed: nothing is mounted" in mounted("--heal", mounted.directory).stderr
    assert mounted.versions() == {"demo": "3.0", "extra": "1.0"}
    mounted("--reset", mounted.directory)
    assert mounted.versions() == {"demo": "1.0", "base": "1.0"}


def test_another_environment_keeps_what_is_the_users(mounted: Mounted) -> None:
    """Under a new lock the user's packages win as a whole; what he removed is back; his files stay, and it is said."""
    mounted.attach()
    own = mounted.site / "own.py"
    own.write_text("x = 1\n")
    (mounted.site / "base/part.py").write_text("x = 'edited'\n")  # the same file in both
    (mounted.site / "demo/data.txt").write_text("edited\n")  # likewise
    (mounted.site / "demo/__init__.py").write_text("version = 'edited'\n")  # another file in the other
    shutil.rmtree(mounted.site / "base-1.0.dist-info")
    said_then = mounted.attach(mounted.two)
    assert mounted.versions() == {"demo": "2.0", "base": "1.0", "other": "1.0"}
    assert mounted.python("import demo, base.part, own; print(demo.version, base.part.x, own.x)") == "2.0 edited 1"
    assert (mounted.site / "demo/data.txt").read_text() == "edited\n"
    assert "put back: base" in said_then
    (line,) = [line for line in said_then.splitlines() if "demo/__init__.py was changed" in line]
    assert (mounted.directory / line.rpartition(" ")[2]).read_text() == "version = 'edited'\n"


@pytest.mark.parametrize("way", ["merged", "replaced"])
def test_a_package_of_the_users_own_wins_as_a_whole(mounted: Mounted, way: str) -> None:
    """No file of the lock's version shows beside the user's, also of one that the lock brings later."""
    mounted.attach()
    for name, version in (("demo", "9.0"), ("other", "9.0")):
        if way == "replaced" and name == "demo":
            shutil.rmtree(mounted.site / "demo")
        for old in mounted.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        (mounted.site / f"{name}-{version}.dist-info").mkdir()
        (mounted.site / f"{name}-{version}.dist-info/METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (mounted.site / name).mkdir(exist_ok=True)
        (mounted.site / name / "__init__.py").write_text(f"version = '{version}'\n")
    mounted.attach(mounted.two)
    assert mounted.versions() == {"demo": "9.0", "base": "1.0", "other": "9.0"}
    assert mounted.python("import demo, other; print(demo.version, other.version)") == "9.0 9.0"
    assert not (mounted.site / "other.py").exists() and not (mounted.site / "demo/data.txt").exists()
    mounted("--rollback", mounted.directory)
    assert mounted.versions() == {"demo": "9.0", "base": "1.0", "other": "9.0"}


def test_rollback(mounted: Mounted) -> None:
    """It goes back, and forth again; with one environment only there is none."""
    mounted.attach()
    assert "no environment of before" in mounted("--rollback", mounted.directory, code=3).stderr
    mounted.attach(mounted.two)
    mounted("--rollback", mounted.directory)
    assert mounted.versions()["demo"] == "1.0"
    mounted("--rollback", mounted.directory)
    assert mounted.versions()["demo"] == "2.0"


def twice(mounted: Mounted) -> None:
    """Mount one overlay above the other, as two at once might."""
    upper = mounted.root / "more"
    for name in ("upper", "work"):
        (upper / name).mkdir(parents=True)
    options = f"lowerdir={mounted.directory},upperdir={upper / 'upper'},workdir={upper / 'work'}"
    subprocess.run(
        ["mount", "-t", "overlay", f"nixgen:{mounted.one.name}", "-o", options, mounted.directory], check=True
    )


def record_of(mounted: Mounted) -> Path:
    """Return the file that root keeps of DIR."""
    records = (mounted.root / "records/mounted").iterdir()
    return next(path for path in records if f"path {mounted.directory}" in path.read_text().splitlines())


def another(mounted: Mounted) -> None:
    """Leave the record of one environment and the mount of another."""
    record = record_of(mounted)
    text = record.read_text()
    record.write_text(text.replace(mounted.one.name, mounted.two.name))


def half(mounted: Mounted) -> None:
    """Leave the image's names and nothing over DIR."""
    subprocess.run(["umount", mounted.directory], check=True)


def whole(mounted: Mounted) -> None:
    """As after a restart: no mount is left."""
    half(mounted)
    for place in (mounted.root / "run/mounted").iterdir():
        if place.is_dir():
            subprocess.run(["umount", place], check=True)


def moved(mounted: Mounted) -> None:
    """Move the project, with what is mounted in it."""
    mounted.directory.parent.rename(mounted.root / "moved")
    mounted.directory = mounted.root / "moved/.venv"


def unfit(mounted: Mounted) -> None:
    """Be interrupted before the changes fit."""
    record = record_of(mounted)
    lines = record.read_text().splitlines()
    record.write_text("".join(("fitted " if line.startswith("fitted ") else line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("broken", "said_of_it"),
    [
        (twice, "it is mounted 2 times"),
        (another, "it shows another environment"),
        (half, "nothing is mounted over it"),
        (whole, "nothing is mounted over it"),
        (moved, "it lay at"),
        (unfit, "an interruption has left its changes unfit"),
    ],
)
def test_it_is_healed(mounted: Mounted, broken: Callable[[Mounted], None], said_of_it: str) -> None:
    """What an interruption or a restart leaves is said by --check and mended by --heal, and changes stay."""
    mounted.attach()
    (mounted.site / "own.py").write_text("x = 1\n")
    broken(mounted)
    assert said_of_it in mounted("--check", mounted.directory, code=1).stdout
    assert f"would heal: {said_of_it}" in mounted("--dry-run", mounted.directory).stdout
    assert f"healed: {said_of_it}" in mounted("--heal", mounted.directory).stderr
    assert mounted("--heal", mounted.directory).stderr == mounted("--check", mounted.directory).stdout == ""
    assert mounted.python("import demo, own; print(own.x)") == "1"
    assert mounted.table() == [(str(mounted.directory), "mounted")]


def test_after_a_restart_all_are_mounted(mounted: Mounted) -> None:
    """heal-all mounts what was mounted, and not what was taken away; one that is gone is forgotten."""
    places = [mounted.root / f"project/{name}" for name in ("a", "b", "c")]
    for place in places:
        mounted("--mounted", place)
    mounted("--unmount", places[1])
    for place in (places[0], places[2]):
        subprocess.run(["umount", place], check=True)
    shutil.rmtree(places[2])
    mounted.verb("heal-all")
    assert mounted.table() == [(str(places[0]), "mounted"), (str(places[1]), "unmounted")]
    assert (places[1] / "NOT-MOUNTED.txt").exists() and not (places[0] / "NOT-MOUNTED.txt").exists()


def test_what_is_gone_is_forgotten(mounted: Mounted) -> None:
    """Nix keeps nothing for a directory that was removed, mounted or not; one whose disk is away is mounted later."""
    place = mounted.root / "disk/.venv"
    for directory in (mounted.directory, place):
        mounted("--mounted", directory)
    mounted("--unmount", mounted.directory)
    shutil.rmtree(mounted.directory)
    subprocess.run(["umount", place], check=True)
    place.parent.rename(mounted.root / "away")
    mounted.verb("heal-all")
    assert mounted.table() == [(str(place), "not mounted")]
    (mounted.root / "away").rename(place.parent)
    mounted.verb("heal-all")
    assert mounted.table() == [(str(place), "mounted")]
    subprocess.run(["umount", place], check=True)
    shutil.rmtree(place.parent)
    mounted("--unmount", place)
    assert mounted.table() == [] == list((mounted.root / "nix/gcroots/nixgen").iterdir())


@pytest.mark.parametrize("broken", [twice, another, half, unfit])
def test_all_that_is_wrong_is_healed_together(mounted: Mounted, broken: Callable[[Mounted], None]) -> None:
    """heal-all looks closer wherever one of all is not as it should be."""
    mounted("--mounted", mounted.root / "well")
    mounted.attach()
    broken(mounted)
    mounted.verb("heal-all")
    assert mounted("--check", mounted.directory).stdout == mounted("--check", mounted.root / "well").stdout == ""


def test_a_directory_in_the_place_of_another(mounted: Mounted) -> None:
    """Of one that was removed nothing is kept, and Nix keeps nothing for it, when another one takes its place."""
    mounted.attach(mounted.two)
    mounted("--unmount", mounted.directory)
    shutil.rmtree(mounted.directory)
    mounted.attach()
    assert len(list((mounted.root / "records/mounted").iterdir())) == 1
    assert {path.resolve() for path in (mounted.root / "nix/gcroots/nixgen").iterdir()} == {mounted.one}


def test_who_uses_it_is_said(mounted: Mounted) -> None:
    """An unmount names the program that uses it, or leaves it its files until it ends."""
    mounted.attach()
    code = "file = open('demo/data.txt'); print(1, flush=True); input(); print(file.read())"
    command = [mounted.directory / "bin/python", "-c", code]
    with subprocess.Popen(command, cwd=mounted.site, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert f"({process.pid})" in mounted("--unmount", mounted.directory, code=7).stderr
        mounted("--unmount", "--lazy", mounted.directory)
        assert not os.path.ismount(mounted.directory)
        assert process.communicate(b"\n")[0] == b"data\n\n"


@pytest.mark.parametrize(
    ("prepare", "said_of_it"),
    [
        (lambda place: (place.mkdir(), (place / "mine").touch()), "not made by nixgen"),
        (lambda place: place.touch(), "no such directory"),
    ],
)
def test_what_is_not_ours_is_left_alone(mounted: Mounted, prepare: Callable[[Path], object], said_of_it: str) -> None:
    """A directory with something in it, and what is no directory."""
    prepare(mounted.directory)
    before = snapshot(mounted.directory.parent)
    assert said_of_it in mounted("--mounted", mounted.directory, code=3).stderr
    assert snapshot(mounted.directory.parent) == before


def test_an_image_that_is_gone(mounted: Mounted) -> None:
    """Nothing is done, and what to build is said."""
    mounted.attach()
    (record,) = (mounted.root / "records/mounted").iterdir()
    record.write_text(record.read_text().replace(mounted.one.name, mounted.one.name.replace("0", "1")))
    assert "not in the store any more" in mounted("--heal", mounted.directory, code=3).stderr
    assert mounted.versions()["demo"] == "1.0"


def test_a_mount_with_any_name(mounted: Mounted) -> None:
    """What anybody mounts under a name with characters that end lines elsewhere stands in nobody's way."""
    odd = mounted.root / "odd\r \x0c\\134 - "
    odd.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "odd", odd], check=True)
    try:
        mounted.attach()
        assert mounted.table() == [(str(mounted.directory), "mounted")]
    finally:
        subprocess.run(["umount", odd], check=True)


def test_two_at_once(mounted: Mounted) -> None:
    """Both succeed, and one mount is there."""
    command = [mounted.one / "bin/nixgen-venv", "--mounted", mounted.directory]
    many = [subprocess.Popen(command, env={**os.environ, **mounted.variables}) for _ in range(4)]
    assert [process.wait() for process in many] == [0] * 4
    assert mounted.table() == [(str(mounted.directory), "mounted")]
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    assert sum(f" {mounted.directory} " in line for line in lines) == 1


def test_names_stay_until_something_shows_them(mounted: Mounted) -> None:
    """Who mounts and who sweeps wait for each other: between the names and what shows them nobody takes the names."""
    mounted.attach()
    other = mounted.root / "project/other"
    lock = (mounted.root / "run/mounted/.lock").open()
    fcntl.flock(lock, fcntl.LOCK_EX)
    variables = {**os.environ, **mounted.variables}
    waiting = [
        subprocess.Popen([mounted.one / "bin/nixgen-venv", "--unmount", mounted.directory], env=variables),
        subprocess.Popen([mounted.two / "bin/nixgen-venv", "--mounted", other], env=variables),
    ]
    time.sleep(0.5)
    assert [process.poll() for process in waiting] == [None, None]
    assert not os.path.ismount(other)
    lock.close()
    assert [process.wait() for process in waiting] == [0, 0]
    assert (other / SITE / "demo").is_dir()


# --- DIR belongs to somebody else


@pytest.fixture
def theirs(mounted: Mounted) -> Mounted:
    """A directory of a user's own, mounted by root, with an interpreter that he can run."""
    give(mounted.directory.parent)
    mounted.attach()
    return mounted


def test_all_is_the_owners(theirs: Mounted) -> None:
    """The files of DIR belong to its owner, who can change them; those of another DIR of the same image to its own."""
    theirs("--mounted", theirs.root / "roots")
    owners = {path.lstat().st_uid for path in (theirs.directory, *theirs.directory.rglob("*"))}
    assert owners == {UID}
    assert {path.lstat().st_uid for path in (theirs.root / "roots").rglob("*")} == {0}

    def change() -> None:
        (theirs.site / "base/part.py").write_text("x = 2\n")
        shutil.rmtree(theirs.site / "demo")
        (theirs.site / "new").mkdir()

    as_owner(change)
    assert (theirs.root / "roots" / SITE / "demo").exists()
    theirs("--heal", theirs.directory)
    assert "takes root" in theirs("--mounted", theirs.directory, code=7, user=UID).stderr
    assert theirs("--check", theirs.directory, user=UID).stdout == ""


def test_root_believes_its_own_record(theirs: Mounted) -> None:
    """Whatever the owner writes into DIR's state, root mounts what it has mounted, or nothing."""
    theirs("--mounted", theirs.root / "roots")
    (identity,) = [
        path.name
        for path in (theirs.root / "records/mounted").iterdir()
        if str(theirs.root / "roots") in path.read_text()
    ]
    theirs("--unmount", theirs.directory)
    state = theirs.directory / ".nixgen/state"
    honest = state.read_text()
    forged = honest.replace(theirs.one.name, theirs.two.name)
    as_owner(lambda: state.write_text(forged) and None)
    theirs("--heal", theirs.directory)
    assert theirs.versions()["demo"] == "1.0"
    theirs("--unmount", theirs.directory)
    own = honest.split("\nid ")[1].split()[0]
    as_owner(lambda: state.write_text(honest.replace(own, identity)) and None)
    assert "knows of no environment" in theirs("--heal", theirs.directory, code=3).stderr
    assert not os.path.ismount(theirs.directory)


@pytest.mark.parametrize("arguments", [["--heal"], ["--heal", "--check"], ["--rollback"], ["--unmount"]])
def test_a_state_names_no_program(theirs: Mounted, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Root's nixgen runs no Python of an environment that DIR names: whoever may add to the store can make one."""
    for name, value in theirs.variables.items():
        monkeypatch.setenv(name, value)
    theirs("--unmount", theirs.directory)
    state, ran = theirs.directory / ".nixgen/state", theirs.root / "ran"
    added = theirs.one.parent / ("0" * 31 + "a-added")
    shutil.copytree((theirs.one / "environment").resolve(), added, symlinks=True)
    (added / "bin/python").unlink()
    (added / "bin/python").write_text(f"#!/bin/sh\n: >{ran}\n")
    (added / "bin/python").chmod(0o755)
    said_then = state.read_text()
    as_owner(
        lambda: state.write_text(said_then.replace(str((theirs.one / "environment").resolve()), str(added))) and None
    )
    try:
        for environment in (None, added):
            program.run(theirs.directory, arguments, environment=environment)
        assert not ran.exists()
    finally:
        shutil.rmtree(added)


@pytest.mark.parametrize("name", [".nixgen", ".nixgen/upper", ".nixgen/work", ".nixgen/upper/.nixgen"])
def test_no_link_is_followed(theirs: Mounted, name: str) -> None:
    """A link in the place of a directory of DIR's leads root nowhere."""
    theirs("--unmount", theirs.directory)
    precious = theirs.root / "precious"
    (precious / "work").mkdir(parents=True)
    planted = theirs.directory / name
    aside = theirs.root / "project/aside"

    def plant() -> None:
        planted.rename(aside)
        planted.symlink_to(precious)

    as_owner(plant)
    before = snapshot(precious)
    refused(theirs)
    assert snapshot(precious) == before
    assert not os.path.ismount(theirs.directory)


def refused(theirs: Mounted) -> None:
    """Have the program refuse, whatever it says."""
    done = subprocess.run(
        [theirs.one / "bin/nixgen-venv", "--mounted", theirs.directory],
        env={**os.environ, **theirs.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (3, 7) and "what to do:" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_an_owners_layer_leads_nowhere(theirs: Mounted) -> None:
    """Attributes that overlayfs obeys cannot be set by the owner, and those that he can set are not obeyed."""
    secret = theirs.one.parent / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    theirs("--unmount", theirs.directory)
    planted = theirs.below("planted")

    def plant() -> None:
        planted.write_bytes(b"mine")
        for name, value in (("metacopy", b""), ("redirect", b"/secret")):
            os.setxattr(planted, f"user.overlay.{name}", value)
            with pytest.raises(PermissionError):
                os.setxattr(planted, f"trusted.overlay.{name}", value)

    try:
        as_owner(plant)
        theirs("--heal", theirs.directory)
        assert (theirs.directory / "planted").read_bytes() == b"mine"
    finally:
        secret.unlink()


def test_an_owner_who_holds_the_lock(theirs: Mounted) -> None:
    """Whoever has the lock of a process that ended has none."""
    theirs("--unmount", theirs.directory)
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], 0), fcntl.LOCK_EX); print(1, flush=True); input()"
    with subprocess.Popen(
        [python(), "-c", code, theirs.directory], user=UID, group=UID, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        healing = subprocess.Popen(
            [theirs.one / "bin/nixgen-venv", "--heal", theirs.directory], env={**os.environ, **theirs.variables}
        )
        time.sleep(0.5)
        assert healing.poll() is None
        process.kill()
    assert healing.wait() == 0
    assert theirs.versions()["demo"] == "1.0"
