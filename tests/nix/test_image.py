"""Images of environments, as the tools of containers see them."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from nixgen.targets import default_python
from tests.nix.conftest import Nix
from tests.support.locks import lock_wheels
from tests.support.nixpkgs import write_nixpkgs
from tests.support.programs import program
from tests.support.wheels import make_wheel

ONE = make_wheel("one", files={"one/__init__.py": "x = 1\n", "one/LICENSE": "the same text\n"})
TWO = make_wheel(
    "two",
    files={"two/__init__.py": "def main():\n    print('two runs')\n", "two/LICENSE": "the same text\n"},
    entry_points={"console_scripts": {"run-two": "two:main"}},
)
THREE = make_wheel("three", files={"three.py": "x = 3\n"})

PKGS = "(import (/. + nixpkgs) { })"
ENV = f"""
nixgen.env {{
  lock = nixgen.readLock (/. + file);
  system = builtins.currentSystem;
  python = nixgen.nixpkgsPython {PKGS} python;
}}
"""
IMAGE = f"nixgen.image ({{ env = {ENV}; }} // more)"

#: A shell that needs nothing of the machine, put into the store.
SHELL = """
derivation {
  name = "shell";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "mkdir -p $out/bin; cp ${/. + zsh} $out/bin/sh" ];
  PATH = "/usr/bin:/bin";
}
"""


@pytest.fixture(scope="module")
def nixpkgs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stand-in for nixpkgs, whose Python lives in the store."""
    return str(write_nixpkgs(tmp_path_factory.mktemp("image") / "nixpkgs"))


def values(nixpkgs: str, file: Path, **more: Any) -> dict[str, Any]:
    """Return what the expressions of this module see."""
    return {"nixpkgs": nixpkgs, "file": str(file), "python": default_python(), "more": more}


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A lock of two wheels that share a file."""
    return lock_wheels(tmp_path / "both", ONE, TWO, python=default_python())


def blob(image: Path, digest: str) -> Any:
    """Return the JSON of a blob of an image."""
    return read(image, f"blobs/{digest.replace(':', '/')}")


def read(image: Path, name: str) -> Any:
    """Return a JSON file of an image."""
    with tarfile.open(image) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return json.load(file)


def manifest(image: Path) -> dict[str, Any]:
    """Return the manifest of an image."""
    (described,) = read(image, "index.json")["manifests"]
    found: dict[str, Any] = blob(image, described["digest"])
    return found


def history(image: Path) -> dict[str, str]:
    """Return the digests of an image's layers by what they hold."""
    made = manifest(image)
    names = [entry["created_by"] for entry in blob(image, made["config"]["digest"])["history"]]
    return dict(zip(names, (layer["digest"] for layer in made["layers"]), strict=True))


def run(*command: str | Path) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_skopeo_reads_it(nix: Nix, nixpkgs: str, both: Path) -> None:
    """skopeo reads the image as an archive of an image layout, and as one of Docker's."""
    env = nix.build(ENV, **values(nixpkgs, both))
    image = nix.build(
        IMAGE, **values(nixpkgs, both, name="shop/web", tag="v1", command=["run-two"], variables={"MODE": "x=1"})
    )
    layout = json.loads(run(program("skopeo"), "inspect", f"oci-archive:{image}"))
    docker = json.loads(run(program("skopeo"), "inspect", f"docker-archive:{image}"))
    assert layout["Layers"] == docker["Layers"] == list(history(image).values())
    assert layout["Os"] == "linux"
    assert layout["Env"] == [f"PATH={env}/bin:/usr/local/bin:/usr/bin:/bin", f"VIRTUAL_ENV={env}", "MODE=x=1"]
    config = json.loads(run(program("skopeo"), "inspect", "--config", f"oci-archive:{image}"))
    assert config["config"]["Cmd"] == ["run-two"]
    assert read(image, "manifest.json")[0]["RepoTags"] == ["shop/web:v1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the root directory is root's")
def test_it_runs_from_its_own_files(nix: Nix, nixpkgs: str, both: Path, tmp_path: Path) -> None:
    """Unpacked by umoci, the environment runs in a root directory that holds nothing else, its commands too."""
    zsh = next(Path(program("zsh-static")).parents[1].glob("**/bin/zsh-static"))
    with_shell = IMAGE.replace("// more", f"// {{ shell = {SHELL}; }}")
    image = nix.build(with_shell, **values(nixpkgs, both), zsh=str(zsh))
    (tmp_path / "layout").mkdir()
    with tarfile.open(image) as archive:
        archive.extractall(tmp_path / "layout", filter="data")
    run(program("umoci"), "unpack", "--image", f"{tmp_path / 'layout'}:latest", tmp_path / "bundle")
    spec = json.loads((tmp_path / "bundle/config.json").read_text())["process"]
    variables = dict(entry.split("=", 1) for entry in spec["env"])
    rootfs = tmp_path / "bundle/rootfs"
    assert {path.name for path in rootfs.iterdir()} == {"bin", "tmp", nix.path.parts[1]}

    def inside(*command: str) -> str:
        set_variables = [f"{name}={value}" for name, value in variables.items()]
        return run("/usr/bin/env", "-i", *set_variables, "/usr/sbin/chroot", rootfs, *command)

    assert inside(*spec["args"], "-c", "import one, sys; print(one.x, sys.prefix)") == f"1 {variables['VIRTUAL_ENV']}\n"
    assert inside("run-two") == "two runs\n"


def test_images_share_layers(nix: Nix, nixpkgs: str, both: Path, tmp_path: Path) -> None:
    """Images of one Python have the layers of the interpreter and of equal packages in common, and no others."""
    other = lock_wheels(tmp_path / "other", TWO, THREE, python=default_python())
    first = history(nix.build(IMAGE, **values(nixpkgs, both)))
    second = history(nix.build(IMAGE, **values(nixpkgs, other)))
    assert set(first) - set(second) == {"nixgen: one-1.0"}
    assert set(second) - set(first) == {"nixgen: three-1.0"}
    same = {name for name in first.keys() & second.keys() if first[name] == second[name]}
    assert same == {"nixgen: interpreter", "nixgen: what environments share", "nixgen: two-1.0"}


def test_small_packages_share_a_layer(nix: Nix, nixpkgs: str, tmp_path: Path) -> None:
    """With fewer layers than packages, the largest have one of their own and the rest share one."""
    large = make_wheel("large", files={"large.py": "x = 1\n" * 5000})
    file = lock_wheels(tmp_path, ONE, THREE, large, python=default_python())
    found = history(nix.build(IMAGE, **values(nixpkgs, file, layers=5)))
    assert list(found) == [
        "nixgen: interpreter",
        "nixgen: what environments share",
        "nixgen: small packages",
        "nixgen: large-1.0",
        "nixgen: environment",
    ]


def test_it_holds_the_closure_once_and_no_more(nix: Nix, nixpkgs: str, both: Path) -> None:
    """The layers together hold the store paths that the environment needs, and no others."""
    env = nix.build(ENV, **values(nixpkgs, both))
    listed = subprocess.run(
        ["nix-store", "--query", "--requisites", env], env=nix.env, capture_output=True, text=True, check=True
    )
    image = nix.build(IMAGE, **values(nixpkgs, both))
    held = set()
    with tarfile.open(image) as archive:
        for digest in history(image).values():
            file = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
            with tarfile.open(fileobj=file) as layer:
                members = layer.getmembers()
            assert {(member.uid, member.gid, member.uname, int(member.mtime)) for member in members} == {(0, 0, "", 1)}
            held |= {f"/{member.name}" for member in members if Path(f"/{member.name}").parent == nix.path}
    assert held == set(listed.stdout.split())


def test_twice_the_same(nix: Nix, nixpkgs: str, both: Path) -> None:
    """A second build gives the same bytes."""
    drv = nix.instantiate(IMAGE, **values(nixpkgs, both))
    for check in ([], ["--check"]):
        subprocess.run(["nix-store", "--realise", *check, drv], env=nix.env, capture_output=True, check=True)


def test_an_application_is_on_top(nix: Nix, nixpkgs: str, both: Path) -> None:
    """Further packages are a layer above the environment, which stays; their programs come first on PATH."""
    plain = history(nix.build(IMAGE, **values(nixpkgs, both)))
    image = nix.build(IMAGE.replace("// more", f"// {{ packages = [ {PKGS}.bash ]; }}"), **values(nixpkgs, both))
    found = history(image)
    assert list(found.items())[:-1] == list(plain.items())
    assert list(found)[-1] == "nixgen: application"
    config = blob(image, manifest(image)["config"]["digest"])["config"]
    assert config["Env"][0].split(":")[0].endswith("-bash/bin")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "Shop"}, "cannot be named Shop"),
        ({"tag": "v 1"}, "cannot be tagged v 1"),
        ({"layers": 4}, "cannot have 4 layers"),
    ],
)
def test_what_cannot_be(nix: Nix, nixpkgs: str, both: Path, more: dict[str, Any], said: str) -> None:
    """Names and tags that no registry takes and too few layers are refused."""
    assert said in nix.refusal(f"({IMAGE}).drvPath", **values(nixpkgs, both, **more))


def test_the_machines_python_is_refused(nix: Nix, nixpkgs: str, both: Path) -> None:
    """An environment around the machine's own Python is refused before anything is built, with what to do."""
    machine = IMAGE.replace(f"nixgen.nixpkgsPython {PKGS} python", '"/usr/bin/python${python}"')
    said = nix.refusal(f"({machine}).drvPath", **values(nixpkgs, both))
    assert "an image cannot hold the machine's own Python" in said and "nixpkgs'" in said


def test_systems_without_images(nix: Nix) -> None:
    """An environment for macOS is refused."""
    env = '{ system = "aarch64-darwin"; name = "x"; nixgen.interpreter.machine = false; }'
    assert "no images for aarch64-darwin" in nix.refusal(f"(nixgen.image {{ env = {env}; }}).drvPath")
