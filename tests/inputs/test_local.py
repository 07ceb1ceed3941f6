"""Wheels on disk: as an input, beside requirements, and beside locks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from nixgen import inputs
from nixgen.errors import InputError, UsageError
from nixgen.fingerprint import changed
from nixgen.inputs import Inputs, ResolverOptions, running
from nixgen.targets import Target
from tests.inputs.conftest import AddSource, AddWheel
from tests.support.wheels import make_wheel, write_wheel

LINUX = Target.parse("3.11", "x86_64-linux")
MAC = Target.parse("3.11", "aarch64-darwin")
OFFLINE = ResolverOptions(no_index=True)


def read(
    directory: Path, *paths: str, options: ResolverOptions = OFFLINE, targets: tuple[Target, ...] = (LINUX,)
) -> Inputs:
    """Read inputs of a directory."""
    return inputs.read([directory / path for path in paths], targets=[LINUX], base=directory, options=options)


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(found: Inputs, target: Target = LINUX) -> Mapping[str, str | None]:
    """Return the path of each package's wheel, None where it has a URL."""
    return {package.name: package.wheel.path for package in found.selections[target.key].packages}


def test_a_directory_of_wheels(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Every package of it is wanted, in its newest version, with what a target can use; nothing else is asked."""
    add_wheel("app", "1.0", "lib")
    add_wheel("lib", "1.0")
    add_wheel("lib", "2.0")
    add_wheel("windows", tag="py3-none-win_amd64")
    found = read(tmp_path, "wheels", options=ResolverOptions(index_url="http://127.0.0.1:9/simple"))
    assert files(found) == {"app": "wheels/app-1.0-py3-none-any.whl", "lib": "wheels/lib-2.0-py3-none-any.whl"}
    assert any("windows is left out" in note for note in found.notes)
    assert found.origin == "wheels" and not changed(found.files, tmp_path)
    add_wheel("more")
    assert changed(found.files, tmp_path) == ["wheels"]


def test_a_directory_that_is_none_of_wheels(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Without wheels, or with one that asks for what is not there, it is refused by name."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no wheel in it"):
        read(tmp_path, "empty")
    add_wheel("app", "1.0", "absent")
    with pytest.raises(InputError, match="absent"):
        read(tmp_path, "wheels")
    (tmp_path / "requirements.in").write_text("app\n")
    with pytest.raises(UsageError, match="together"):
        read(tmp_path, "wheels", "requirements.in")


def test_wheels_alone_and_beside_requirements(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A wheel that is named is wanted, with what it asks for."""
    add_wheel("app", "1.0", "lib")
    add_wheel("lib", "1.0")
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    path = tmp_path / "app-1.0-py3-none-any.whl"
    (tmp_path / "wheels" / path.name).rename(path)
    assert files(read(tmp_path, path.name, options=options)) == {
        "app": path.name,
        "lib": "wheels/lib-1.0-py3-none-any.whl",
    }
    (tmp_path / "requirements.in").write_text("lib\n")
    found = read(tmp_path, "requirements.in", path.name, options=options)
    assert set(files(found)) == {"app", "lib"}
    assert found.origin == f"requirements.in, {path.name}" and path.name in found.files
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path, "requirements.in", "gone-1.0-py3-none-any.whl")


def test_a_wheel_beside_a_project(add_wheel: AddWheel, add_source: AddSource, tmp_path: Path) -> None:
    """It is the file of its package, which may have no other; one that nothing asks for is refused."""
    add_source("lib")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "me"\nversion = "1"\ndependencies = ["lib"]\n[dependency-groups]\ndev = ["lib"]\n'
    )
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    built = add_wheel("lib").rename(tmp_path / "lib-1.0-py3-none-any.whl")
    found = read(tmp_path, "pyproject.toml", built.name, options=options)
    assert files(found) == {"lib": built.name}
    assert f"{built.name} is taken for lib 1.0, as it was given" in found.notes
    other = add_wheel("other").rename(tmp_path / "other-1.0-py3-none-any.whl")
    add_wheel("lib")
    with pytest.raises(InputError, match="nothing that is wanted"):
        read(tmp_path, "pyproject.toml", other.name, options=options)


def test_wheels_beside_a_lock(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A file of --find-links is taken if it is the lock's; a wheel that is given, whatever the lock has."""
    lib, other = add_wheel("lib"), add_wheel("other")
    project, near = tmp_path / "project", tmp_path / "near"
    project.mkdir()
    near.mkdir()
    entries = "".join(
        f"""
[[packages]]
name = "{path.name.partition("-")[0]}"
version = "1.0"
wheels = [{{ url = "http://127.0.0.1:9/{path.name}", hashes = {{ sha256 = "{sha256(path)}" }} }}]
"""
        for path in (lib, other)
    )
    (project / "pylock.toml").write_text(
        f"""
lock-version = "1.0"
created-by = "a test"
{entries}
[[packages]]
name = "plain"
version = "1.0"
sdist = {{ url = "http://127.0.0.1:9/plain-1.0.tar.gz", hashes = {{ sha256 = "{"0" * 64}" }} }}
"""
    )
    (near / lib.name).write_bytes(lib.read_bytes())
    (near / other.name).write_bytes(b"another file of that name")
    built = add_wheel("plain")
    options = ResolverOptions(find_links=(str(near),))
    found = inputs.read([project / "pylock.toml", built], targets=[LINUX, MAC], base=project, options=options)
    for target in (LINUX, MAC):
        assert files(found, target) == {
            "lib": str(near / lib.name),
            "other": None,
            "plain": str(built),
        }
    with pytest.raises(InputError, match=r"not of the version that is locked: plain 1\.0"):
        inputs.read([project / "pylock.toml", add_wheel("plain", "2.0")], targets=[LINUX], base=project)


def test_a_wheel_beside_the_lock_of_another_tool(add_wheel: AddWheel, tmp_path: Path) -> None:
    """It takes the place of what the lock's index has, for a script's lock and for uv.lock too."""
    lib = add_wheel("lib")
    mine = write_wheel(tmp_path / "mine", make_wheel("lib", "1.0", {"lib.py": "mine = 1\n"}))
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "me"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["lib"]\n'
    )
    (tmp_path / "last.py").write_text('# /// script\n# requires-python = ">=3.11"\n# dependencies = ["lib"]\n# ///\n')
    options = ResolverOptions(no_index=True, find_links=(str(lib.parent),))
    for arguments, name in ((["lock"], "uv.lock"), (["lock", "--script", "last.py"], "last.py")):
        running.run([*arguments, *options.shared_arguments()], cwd=tmp_path)
        assert files(read(tmp_path, name, options=options)) == {"lib": "wheels/lib-1.0-py3-none-any.whl"}
        assert files(read(tmp_path, name, "mine/lib-1.0-py3-none-any.whl", options=options)) == {
            "lib": "mine/lib-1.0-py3-none-any.whl"
        }
    assert mine.is_file()
