"""Hashes in requirements files are compared, as pip and uv compare them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen import inputs
from nixgen.errors import InputError, VerificationError
from nixgen.inputs.hashes import Hashes
from nixgen.inputs.options import ResolverOptions
from nixgen.targets import Target
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

TARGET = Target.parse("3.11", "x86_64-linux")
DEMO = make_wheel("demo", "1.0", metadata=["Requires-Dist: helper"])
HELPER = make_wheel("helper", "2.0")
#: Two wheels of one version: the first fits better.
NATIVE = make_wheel("native", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
PURE = make_wheel("native", "1.0", tag="py3-none-any")

Serve = Callable[..., WheelServer]


def sha256(wheel: tuple[str, bytes]) -> str:
    return hashlib.sha256(wheel[1]).hexdigest()


def read(directory: Path, index: str, **files: str) -> dict[str, str]:
    """Lock requirements files, the first one given, and return the chosen wheels by package."""
    for name, text in files.items():
        (directory / f"{name}.txt").write_text(text)
    first = directory / f"{next(iter(files))}.txt"
    found = inputs.read([first], targets=[TARGET], base=directory, options=ResolverOptions(default_index=index))
    return {package.name: package.wheel.filename for package in found.selections[TARGET.key].packages}


def source_of(directory: Path, index: str, requirements: str) -> tuple[str | None, tuple[str, str] | None]:
    """Return the hashes of the only wheel that a requirements file gives: its SHA-256, and the one of another kind."""
    path = directory / "only.txt"
    path.write_text(requirements)
    found = inputs.read([path], targets=[TARGET], base=directory, options=ResolverOptions(default_index=index))
    (package,) = found.selections[TARGET.key].packages
    return package.wheel.sha256, package.wheel.other


@pytest.fixture
def index(serve: Serve) -> str:
    """An index with all of these."""
    return serve(DEMO, HELPER, NATIVE, PURE).index


def test_right_hashes_pass(tmp_path: Path, index: str) -> None:
    """A file as ``uv pip compile --generate-hashes`` writes it locks; several hashes, of which one is right, too."""
    text = f"demo==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{sha256(DEMO)}  # a comment\n"
    text += f"helper==2.0 ; python_version > '3.8' --hash sha256:{sha256(HELPER).upper()}\n"
    assert read(tmp_path, index, requirements=text) == {"demo": DEMO[0], "helper": HELPER[0]}


def test_a_wrong_hash_is_refused_as_pip_does(tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages with another hash than the one named are an error that lists all, with file and line; always."""
    monkeypatch.setenv("UV_NO_VERIFY_HASHES", "1")
    text = f"demo==1.0 --hash=sha256:{'0' * 64}\n# more\nhelper==2.0 --hash=sha256:{'1' * 64}\n"
    with pytest.raises(VerificationError) as caught:
        read(tmp_path, index, requirements=text)
    said = str(caught.value)
    assert "demo 1.0 (requirements.txt:1)" in said and "helper 2.0 (requirements.txt:3)" in said
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--index-url", index, "-d", str(tmp_path)]
    done = subprocess.run([*pip, "-r", tmp_path / "requirements.txt"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "hash" in done.stderr.lower()


def test_hashes_choose_among_wheels(tmp_path: Path, index: str) -> None:
    """Of several wheels of a version the one that a hash is named of is taken, though another would fit better."""
    assert read(tmp_path, index, requirements="native==1.0\n") == {"native": NATIVE[0]}
    text = f"native==1.0 --hash=sha256:{sha256(PURE)}\n"
    assert read(tmp_path, index, requirements=text) == {"native": PURE[0]}


@pytest.mark.parametrize("option", ["-r", "--requirement", "-c", "--constraint"])
def test_included_files_count(option: str, tmp_path: Path, index: str) -> None:
    """Hashes in included requirements and constraints are compared too, named by their own file."""
    more = f"helper==2.0 --hash=sha256:{'0' * 64}\n"
    with pytest.raises(VerificationError, match=r"helper 2\.0 \(more\.txt:1\)"):
        read(tmp_path, index, requirements=f"demo\n{option} more.txt\n", more=more)


def test_a_local_wheel_is_compared(tmp_path: Path, index: str) -> None:
    """A wheel that is given by its path has to have the hash behind it."""
    (tmp_path / HELPER[0]).write_bytes(HELPER[1])
    for digest in (sha256(HELPER), "0" * 64):
        text = f"./{HELPER[0]} --hash=sha256:{digest}\n"
        if digest == sha256(HELPER):
            assert read(tmp_path, index, requirements=text) == {"helper": HELPER[0]}
        else:
            with pytest.raises(VerificationError, match="helper"):
                read(tmp_path, index, requirements=text)


def test_every_package_needs_a_hash_where_that_is_asked_for(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--require-hashes in a file, or a variable or setting: packages without a hash are listed, dependencies too."""
    text = f"demo==1.0 --hash=sha256:{sha256(DEMO)}\n"
    assert read(tmp_path, index, requirements=text).keys() == {"demo", "helper"}
    with pytest.raises(InputError, match=r"helper 2\.0"):
        read(tmp_path, index, requirements="--require-hashes\n" + text)
    for name, value in (("UV_REQUIRE_HASHES", "1"), ("PIP_REQUIRE_HASHES", "y")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(InputError, match=r"helper 2\.0"):
                read(tmp_path, index, requirements=text)
    (tmp_path / "uv.toml").write_text("[pip]\nrequire-hashes = true\n")
    with pytest.raises(InputError, match=r"helper 2\.0"):
        read(tmp_path, index, requirements=text)


def test_hashes_that_cannot_be_compared_are_said(tmp_path: Path, index: str) -> None:
    """A package of which only other hashes are named, and which file they are of is open, is an error."""
    text = f"helper==2.0 --hash=sha512:{'0' * 128} --hash=sha512:{'1' * 128}\n"
    with pytest.raises(InputError, match=r"helper 2\.0 \(only sha512\)"):
        read(tmp_path, index, requirements=text)


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
def test_another_hash_of_the_only_wheel_is_what_it_is_compared_with(algorithm: str, tmp_path: Path, index: str) -> None:
    """A wheel with no brothers is locked by the hash that is named, of whatever kind, and a build compares it."""
    digest = hashlib.new(algorithm, HELPER[1]).hexdigest()
    hashes = source_of(tmp_path, index, f"helper==2.0 --hash={algorithm}:{digest}\n")
    assert hashes == (None, (algorithm, digest))


def test_a_hash_in_a_url_is_compared(tmp_path: Path, index: str) -> None:
    """The fragment of a URL names a hash as the option does, alone or beside others, as pip and uv have it."""
    path = tmp_path / HELPER[0]
    path.write_bytes(HELPER[1])
    line = f"helper @ {path.as_uri()}"
    assert source_of(tmp_path, index, f"{line}#sha256={sha256(HELPER)}\n") == (sha256(HELPER), None)
    other = hashlib.sha512(HELPER[1]).hexdigest()
    assert source_of(tmp_path, index, f"{line}#sha512={other}\n") == (None, ("sha512", other))
    for wrong in (f"sha256={'0' * 64}", f"egg=helper&sha256={'0' * 64}", "sha256="):
        with pytest.raises(VerificationError, match=r"helper"):
            read(tmp_path, index, requirements=f"{line}#{wrong}\n")


def test_a_hash_without_digits_is_a_wrong_one(tmp_path: Path, index: str) -> None:
    """A hash that was lost on the way is not taken for none."""
    with pytest.raises(VerificationError, match=r"helper 2\.0"):
        read(tmp_path, index, requirements="helper==2.0 --hash=sha256:\n")


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    """A circle of included files is read once."""
    (tmp_path / "a.txt").write_text("-r b.txt\n")
    (tmp_path / "b.txt").write_text(f"-r a.txt\nx==1 --hash=sha256:{'0' * 64}\n")
    assert set(Hashes.read([tmp_path / "a.txt"], {}).named) == {("x", "1")}
