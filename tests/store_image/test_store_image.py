"""``nixgen image --store``: a store in a file system, one on top of another, mounted and used by a real Nix."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.owner import as_root
from tests.support.programs import program
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.verification.conftest import alter
from tests.whole.conftest import newer_nix

pytestmark = pytest.mark.nix

#: ``other`` has a file that resolves its own path, which is a copy in its tree; both have a text in common.
TEXT = "in common\n" * 200
WHEELS = (
    make_wheel("demo", "1.0", {"demo/__init__.py": "x = 'demo'\n", "demo/text.txt": TEXT}),
    make_wheel(
        "other",
        "2.0",
        {"other/__init__.py": "import os\nx = os.path.realpath(__file__)\n", "other/text.dat": TEXT},
    ),
    make_wheel("third", "1.0", {"third.py": "x = 'third'\n"}),
)
PROJECTS = {"one": "demo\n", "two": "demo\nother\n", "three": "demo\nthird\n"}

#: What is done on a host, in a mount namespace of its own.
LAYERS = """
set -eu
mount -t erofs -o ro "$IMAGES/base.erofs" "$PLACE/base"
mount -t erofs -o ro "$IMAGES/top.erofs" "$PLACE/top"
"""
AS_LOWER = f"""{LAYERS}
mount -t overlay -o "ro,lowerdir=$PLACE/top:$PLACE/base" overlay "$PLACE/lower"
mount -t overlay -o "lowerdir=$PLACE/lower/store,upperdir=$PLACE/upper,workdir=$PLACE/work" overlay "$NIX_STORE_DIR"
"""
AT_PLACE = f"""{LAYERS}
mount -t overlay -o "ro,lowerdir=$PLACE/top:$PLACE/base" overlay "$(dirname "$NIX_STORE_DIR")"
"""


@dataclass(frozen=True, kw_only=True)
class Made:
    """Projects, and images of their environments.

    Attributes:
        root: has the projects, and base.erofs and top.erofs.
        nix: the store; the directory that it lies in has nothing else.
        cli: ``nixgen`` in ``root``.
        reports: what was printed of each image, by name.
        index: the server that wheels came from.
    """

    root: Path
    nix: NixInstallation
    cli: Cli
    reports: dict[str, dict[str, object]]
    index: WheelServer

    def environment(self, name: str) -> Path:
        """Return the environment of an image's lock."""
        ((found,),) = [self.reports[name]["environments"]]  # type: ignore[misc]
        return Path(found["path"])  # type: ignore[index]

    def host(self, place: Path, script: str, **variables: str) -> str:
        """Run a script of a host in a mount namespace of its own, with Nix 2.34; return what it prints."""
        for name in ("base", "top", "lower", "upper", "work", "state", "log", "cache"):
            (place / name).mkdir(exist_ok=True)
        lower = f"local?read-only=true&real={place}/lower/store&state={place}/lower/var/nix"
        store = f"local-overlay://?lower-store={quote(lower, safe='')}&upper-layer={place}/upper"
        features = "extra-experimental-features = local-overlay-store read-only-local-store"
        environment = {
            **self.cli.environment,
            "PATH": f"{newer_nix('sid')}{os.pathsep}{os.environ['PATH']}",
            "NIX_CONFIG": f"{self.nix.env['NIX_CONFIG']}\n{features}\n",
            "NIX_REMOTE": store,
            "NIX_STATE_DIR": str(place / "state"),
            "NIX_LOG_DIR": str(place / "log"),
            "XDG_CACHE_HOME": str(place / "cache"),
            "IMAGES": str(self.root),
            "PLACE": str(place),
            "NIXGEN": f"{sys.executable} -m nixgen",
            **variables,
        }
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-c", script],
            env=environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """An image of one project, and on top of it one of another."""
    root = tmp_path_factory.mktemp("image")
    # mkfs.erofs may be one that is not installed.
    programs = Path(program("mkfs.erofs", "erofs-utils")).parent
    nix = NixInstallation.of_machine(root / "nix")
    environment = {
        **nix.env,
        "PATH": f"{nix.env['PATH']}{os.pathsep}{programs}",
        "NIX_STATE_DIR": str(root / "state"),
        "UV_CACHE_DIR": str(root / "uv"),
        "XDG_CACHE_HOME": str(root / "cache"),
    }
    cli = Cli(directory=root, environment=environment)
    with WheelServer(dict(WHEELS)) as index:
        for name, wanted in PROJECTS.items():
            (root / name).mkdir()
            (root / name / "requirements.in").write_text(wanted)
            cli("lock", "--verify", "-C", name, "--default-index", index.index)
        reports = {
            "base": json.loads(cli("image", "--store", "one/nixgen.lock", "-o", "base.erofs", "--json").stdout),
            "top": json.loads(cli("image", "--json", "-o", "top.erofs", "--on", "base.erofs", "--store", "two").stdout),
        }
        yield Made(root=root, nix=nix, cli=cli, reports=reports, index=index)
    nix.make_removable()


def extracted(image: Path, directory: Path) -> Path:
    """Take all out of an image, as erofs-utils sees it, and return where it is."""
    tool = program("fsck.erofs", "erofs-utils")
    done = subprocess.run([tool, f"--extract={directory}", image], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return directory


def known(directory: Path) -> dict[str, tuple[str, int, str]]:
    """Return what the database of an image knows: hash, time and content address by path."""
    database = sqlite3.connect(f"file:{directory}/var/nix/db/db.sqlite?immutable=1", uri=True)
    rows = database.execute("SELECT path, hash, registrationTime, ca FROM ValidPaths").fetchall()
    return {path: (sha256, time, ca or "") for path, sha256, time, ca in rows}


def test_what_is_in_them(made: Made, tmp_path: Path) -> None:
    """The base has all of its environment, the top what that lacks; the top's database and list know both."""
    base, top = (extracted(made.root / f"{name}.erofs", tmp_path / name) for name in ("base", "top"))
    paths = {name: set(made.reports[name]["paths"]) for name in ("base", "top")}  # type: ignore[call-overload]
    assert not paths["base"] & paths["top"]
    for name, directory in (("base", base), ("top", top)):
        shown = {f"{made.nix.path}/{path.name}" for path in (directory / "store").iterdir() if path.name != ".links"}
        assert shown == paths[name]
    assert known(base).keys() == paths["base"] and known(top).keys() == paths["base"] | paths["top"]
    assert made.reports["top"]["on"] == [made.reports["base"]["uuid"]] and made.reports["base"]["on"] == []
    needed = subprocess.run(
        ["nix-store", "-qR", made.environment("top")], env=made.cli.environment, capture_output=True, text=True
    ).stdout.split()
    assert {*needed} <= known(top).keys()
    leaves = {path: row for path, row in known(top).items() if "-file." in path}
    assert leaves and all(ca.startswith("fixed:sha256:") for _, _, ca in leaves.values())
    trees = [row for path, row in known(top).items() if path.endswith(("-env", "-1.0"))]
    assert trees and {(time, ca) for _, time, ca in trees} == {(1, "")}
    # One file of the image for what two wheels have, and for a copy and its leaf.
    texts = [path for path in base.glob("store/*-file.txt") if path.read_text() == TEXT]
    assert len(texts) == 1 and not [*top.glob("store/*-file.txt")]


def test_the_same_bytes(made: Made, tmp_path: Path) -> None:
    """An image is the same a second time, of a store that was optimised, and where files have to be copied."""
    before = (made.root / "top.erofs").read_bytes()
    subprocess.run(["nix-store", "--optimise"], env=made.cli.environment, check=True, capture_output=True)
    for directory in (tmp_path, Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path):
        file = directory / f"nixgen-test-{os.getpid()}.erofs"
        try:
            made.cli("image", "--store", "two", "--on", "base.erofs", "-o", file)
            assert file.read_bytes() == before
            listing = Path(f"{file}.json")
            assert listing.read_bytes() == (made.root / "top.erofs.json").read_bytes()
        finally:
            for path in (file, Path(f"{file}.json")):
                path.unlink(missing_ok=True)


@as_root
def test_below_a_store(made: Made, tmp_path: Path) -> None:
    """Nix 2.34 takes both as the lower layer of its store: they run, verify, and what is built lands in the upper."""
    made.index.requests.clear()
    script = f"""{AS_LOWER}
    "$TOP/bin/python" -c 'import demo, other; print(other.x)'
    nix-store -qR "$TOP" > "$PLACE/closure"
    nix-store --verify --check-contents 2> "$PLACE/said"
    $NIXGEN build --quiet -C two --no-out-link
    $NIXGEN build --quiet -C three -o "$PLACE/result"
    "$PLACE/result/bin/python" -c 'import demo, third; print(third.x)'
    nix-store --verify --check-contents 2>> "$PLACE/said"
    """
    said = made.host(tmp_path, script, TOP=str(made.environment("top"))).splitlines()
    assert "-other-2.0/" in said[0] and said[1] == str(made.environment("top")) and said[3] == "third"
    assert str(made.environment("top")) in (tmp_path / "closure").read_text().split()
    assert "error" not in (tmp_path / "said").read_text()
    # Nothing that the images have was fetched or made again.
    assert {request.path.rpartition("/")[2] for request in made.index.wheel_requests} <= {WHEELS[2][0]}
    there = {path.rpartition("/")[2] for path in json.loads((made.root / "top.erofs.json").read_text())["paths"]}
    there |= {path.rpartition("/")[2] for path in json.loads((made.root / "base.erofs.json").read_text())["paths"]}
    new = {path.name for path in (tmp_path / "upper").iterdir()}
    assert new and not new & there


@as_root
def test_in_the_place_of_a_store(made: Made, tmp_path: Path) -> None:
    """Mounted where the store is, read-only, environments run without Nix, and Nix reads it."""
    script = f"""{AT_PLACE}
    "$TOP/bin/python" -c 'import demo, other; print(demo.x)'
    "$BASE/bin/python" -c 'import demo; print(demo.x)'
    NIX_STATE_DIR=$(dirname "$NIX_STORE_DIR")/var/nix nix-store -q --references "$TOP" | wc -l
    ! touch "$NIX_STORE_DIR/new" 2> "$PLACE/said"
    """
    paths = {"TOP": str(made.environment("top")), "BASE": str(made.environment("base"))}
    said = made.host(tmp_path, script, **paths, NIX_REMOTE="local?read-only=true").split()
    assert said[:2] == ["demo", "demo"] and int(said[2]) > 1
    assert "Read-only" in (tmp_path / "said").read_text()


def test_what_is_no_base(made: Made, tmp_path: Path) -> None:
    """A file that is none, a list that is away, altered or another's, an image of another store, and itself."""

    def refused(on: Path, **variables: str) -> str:
        words = ("image", "--store", "two", "-o", made.root / "refused.erofs", "--on", on)
        return made.cli(*words, code=3, environment=variables).stderr

    image, listing = tmp_path / "image", tmp_path / "image.json"
    assert "there is no image" in refused(image)
    image.write_text("none")
    assert "this is no EROFS image" in refused(image)
    shutil.copy(made.root / "base.erofs", image)
    assert "there is no list of what the image holds" in refused(image)
    shutil.copy(made.root / "top.erofs.json", listing)
    assert "the list is of another image than image" in refused(image)
    text = (made.root / "base.erofs.json").read_text()
    listing.write_text(text.replace("demo", "dem0"))
    assert "the list is of another image" in refused(image)
    listing.write_text(text)
    other = refused(image, NIX_STORE_DIR=str(tmp_path / "store"), NIX_STATE_DIR=str(tmp_path / "state"))
    assert "the image is of the store" in other
    said = made.cli("image", "--store", "two", "-o", image, "--on", image, code=3).stderr
    assert "cannot stand on itself" in said
    assert not (made.root / "refused.erofs").exists()
    assert "this is a directory" in made.cli("image", "--store", "two", "-o", tmp_path, code=3).stderr
    assert "no such directory" in made.cli("image", "--store", "two", "-o", tmp_path / "no/image", code=3).stderr


def test_what_cannot_be_made(made: Made, tmp_path: Path) -> None:
    """Without mkfs.erofs, where it fails, and of a store that is damaged: what was there before stays, nothing else."""
    file = tmp_path / "store.erofs"
    shutil.copy(made.root / "top.erofs", file)
    before = file.read_bytes()
    programs = tmp_path / "programs"
    programs.mkdir()
    failing = programs / "mkfs.erofs"
    failing.write_text("#!/bin/sh\necho no room for it >&2\nexit 1\n")
    failing.chmod(0o755)
    words = ("image", "--store", "two", "-o", file)
    path = f"{programs}{os.pathsep}{made.cli.environment['PATH']}"
    assert "    no room for it" in made.cli(*words, code=7, environment={"PATH": path}).stderr
    tree = next(made.nix.path.glob("*-other-2.0"))
    damaged = next(tree.glob("lib/python3*/site-packages/other/__init__.py"))
    content, mode = damaged.read_bytes(), damaged.stat().st_mode
    alter(damaged)
    try:
        assert str(tree) in made.cli(*words, code=5).stderr
    finally:
        damaged.chmod(0o644)
        damaged.write_bytes(content)
        damaged.chmod(mode)
        os.utime(damaged, (1, 1))
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path != programs] == ["store.erofs"]


def test_no_mkfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where mkfs.erofs is missing, the error says how to install it."""
    from nixgen.errors import MachineError
    from nixgen.store_image.erofs import find_program

    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    with pytest.raises(MachineError, match="apt-get install erofs-utils"):
        find_program()


def test_what_makes_no_sense(made: Made) -> None:
    """Options of one kind of image with the other are refused."""
    assert "--tag is of images for containers" in made.cli("image", "--store", "--tag", "x", code=2).stderr
    assert "--on is of images of a store" in made.cli("image", "--on", "x", code=2).stderr
    assert "runs nothing" in made.cli("image", "--store", "one", "--", "python", code=2).stderr
