"""Requirements files: resolved by uv, without building anything, for every target at once."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen import inputs
from nixgen.errors import InputError, NetworkError, NixgenError, UsageError
from nixgen.inputs import Inputs, ResolverOptions, running
from nixgen.model import ALWAYS, LockedPackage
from nixgen.targets import Target
from tests.inputs.conftest import AddSource, AddWheel
from tests.support.server import Behaviour, WheelServer, serve_directory
from tests.support.sources import make_source
from tests.support.wheels import make_wheel

LINUX = Target.parse("3.11", "x86_64-linux")
MAC = Target.parse("3.11", "aarch64-darwin")
NEWER = Target.parse("3.13", "x86_64-linux")


def read(
    directory: Path,
    text: str,
    *targets: Target,
    options: ResolverOptions | None = None,
    preferences: dict[str, str] | None = None,
    no_build: bool = False,
) -> Inputs:
    path = directory / "requirements.in"
    path.write_text(text)
    return inputs.read(
        [path],
        targets=targets or [LINUX],
        base=directory,
        preferences=preferences,
        options=options or ResolverOptions(no_index=True, find_links=(str(directory / "wheels"),), no_build=no_build),
    )


def packages(found: Inputs, target: Target = LINUX) -> dict[str, LockedPackage]:
    return {package.name: package for package in found.selections[target.key].packages}


def versions(found: Inputs, target: Target = LINUX) -> dict[str, str]:
    return {name: package.version for name, package in packages(found, target).items()}


def test_requirements_become_the_packages_they_need(add_wheel: AddWheel, tmp_path: Path) -> None:
    """What is required and what that requires is locked with path, hash and no condition."""
    add_wheel("app", "1.0", "lib>=2")
    add_wheel("lib", "1.0")
    path = add_wheel("lib", "2.0")
    found = read(tmp_path, "app\n")
    assert versions(found) == {"app": "1.0", "lib": "2.0"}
    lib = packages(found)["lib"]
    assert (lib.wheel.path, lib.when) == ("wheels/lib-2.0-py3-none-any.whl", ALWAYS)
    assert lib.wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.origin, found.notes) == ("requirements.in", ())


def test_every_target_takes_its_own_packages_and_wheels(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Markers and tags are those of each target, whichever Python runs."""
    add_wheel("app", "1.0", "only-mac; sys_platform == 'darwin'", "backport; python_version < '3.13'")
    add_wheel("only-mac")
    add_wheel("backport")
    add_wheel("native", tag="cp311-cp311-manylinux_2_17_x86_64")
    add_wheel("native", tag="cp311-cp311-macosx_11_0_arm64")
    add_wheel("native", tag="cp313-cp313-manylinux_2_17_x86_64")
    found = read(tmp_path, "app\nnative\n", LINUX, MAC, NEWER)
    assert list(versions(found)) == ["app", "backport", "native"]
    assert list(versions(found, MAC)) == ["app", "backport", "native", "only-mac"]
    assert list(versions(found, NEWER)) == ["app", "native"]
    assert "macosx" in packages(found, MAC)["native"].wheel.filename
    assert "cp313" in packages(found, NEWER)["native"].wheel.filename


def test_reading_twice_gives_the_same(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Nothing of the machine or the moment is in the result."""
    add_wheel("app", "1.0", "lib")
    add_wheel("lib")
    assert read(tmp_path, "app\n", LINUX, MAC) == read(tmp_path, "app\n", LINUX, MAC)


def test_wheels_by_path_and_url_are_wheels(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A path, a file: URL and a direct reference each lock the wheel they name."""
    one, two = add_wheel("one"), add_wheel("two")
    found = read(tmp_path, f"./wheels/{one.name}\ntwo @ {two.as_uri()}\n")
    assert {name: package.wheel.path for name, package in packages(found).items()} == {
        "one": f"wheels/{one.name}",
        "two": f"wheels/{two.name}",
    }


def test_several_files_are_resolved_together(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Requirements files add up."""
    add_wheel("lib", "1.0")
    add_wheel("lib", "2.0")
    (tmp_path / "more.txt").write_text("lib<2\n")
    (tmp_path / "requirements.in").write_text("lib\n")
    found = inputs.read(
        [tmp_path / "requirements.in", tmp_path / "more.txt"],
        targets=[LINUX],
        base=tmp_path,
        options=ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),)),
    )
    assert (versions(found), found.origin) == ({"lib": "1.0"}, "requirements.in, more.txt")


def test_all_packages_without_wheel_are_listed_and_nothing_is_built(
    add_wheel: AddWheel, add_source: AddSource, tmp_path: Path
) -> None:
    """Source distributions deep and shallow, and foreign wheels, are one error; no setup.py runs."""
    add_wheel("app", "1.0", "deep>=2", "foreign")
    add_source("deep", "2.0")
    add_source("shallow")
    add_wheel("foreign", tag="cp311-cp311-win_amd64")
    with pytest.raises(InputError) as caught:
        read(tmp_path, "app\nshallow\n", LINUX, MAC, no_build=True)
    message = str(caught.value)
    both = "(3.11-x86_64-linux, 3.11-aarch64-darwin)"
    assert f"deep 2.0 {both}: only a source distribution" in message
    assert f"shallow 1.0 {both}: only a source distribution" in message
    assert f"foreign 1.0 {both}: wheels only for cp311-cp311-win_amd64" in message
    assert not (tmp_path / "ran").exists()


def test_what_only_another_interpreter_needs_refuses_nothing(
    add_wheel: AddWheel, add_source: AddSource, tmp_path: Path
) -> None:
    """A source distribution that only PyPy or Windows wants is not in the way, though uv resolves for those too."""
    add_wheel("app", "1.0", "pypy; platform_python_implementation == 'PyPy'", "win; sys_platform == 'win32'", "lib")
    add_wheel("lib")
    add_source("pypy")
    add_source("win")
    found = read(tmp_path, "app==1.0\n", LINUX, MAC, no_build=True)
    assert versions(found) == versions(found, MAC) == {"app": "1.0", "lib": "1.0"}


def test_a_source_by_path_is_listed_without_building(add_source: AddSource, tmp_path: Path) -> None:
    """An archive that is named directly cannot be used either, and is not built to find that out."""
    path = add_source("direct")
    with pytest.raises(InputError, match="direct"):
        read(tmp_path, f"direct @ {path.as_uri()}\n", no_build=True)
    assert not (tmp_path / "ran").exists()


def test_uv_is_asked_once_where_something_was_built_before(
    add_wheel: AddWheel, add_source: AddSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the existing lock had to build lets uv build at once; what is found is what a new lock has."""
    add_wheel("demo", "1.0")
    add_source("demo", "2.0")
    filename, content = make_source("only")
    (tmp_path / "wheels" / filename).write_bytes(content)
    asked = []
    run = running.run
    monkeypatch.setattr(running, "run", lambda arguments, **more: asked.append(arguments) or run(arguments, **more))
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),))
    again = replace(options, built=("only",))
    first = read(tmp_path, "only\n", options=options)
    assert len(asked) == 2 and read(tmp_path, "only\n", options=again) == first and len(asked) == 3
    assert versions(read(tmp_path, "demo\n", options=again)) == {"demo": "1.0"}
    with pytest.raises(InputError, match="only a source distribution"):
        read(tmp_path, "only\n", options=replace(again, no_build=True))


@pytest.mark.parametrize("requirement", ["demo", "demo[some]", "demo>=1,<3", "demo; python_version > '3'"])
def test_a_version_passed_over_for_having_no_wheel_is_noted(
    add_wheel: AddWheel, add_source: AddSource, tmp_path: Path, requirement: str
) -> None:
    """Where only an older version has a wheel, that one is locked and a note says so."""
    add_wheel("demo", "1.0")
    add_source("demo", "2.0")
    found = read(tmp_path, f"{requirement}\n")
    assert versions(found) == {"demo": "1.0"}
    assert found.notes[-1] == "demo 2.0 has no wheel; 1.0 is locked instead"
    assert len(found.notes) == (2 if "[some]" in requirement else 1)  # there is no such extra, as uv says
    assert not (tmp_path / "ran").exists()


def test_what_uv_warns_of_is_noted_once(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A yanked version and an extra that is not there are taken, as uv takes them, and noted once."""
    add_wheel("plain", "2.0")
    name, content = make_wheel("yank", "1.0", {})
    (tmp_path / "index" / "yank").mkdir(parents=True)
    (tmp_path / "index" / "yank" / name).write_bytes(content)
    (tmp_path / "index" / "yank" / "index.html").write_text(f'<a href="{name}" data-yanked="it breaks">{name}</a>')
    found = read(
        tmp_path,
        "yank==1.0\nplain[none]\n",
        LINUX,
        NEWER,
        options=ResolverOptions(default_index=(tmp_path / "index").as_uri(), find_links=(str(tmp_path / "wheels"),)),
    )
    assert versions(found) == {"plain": "2.0", "yank": "1.0"}
    assert sorted(found.notes) == [
        "The package `plain==2.0` does not have an extra named `none`",
        '`yank==1.0` is yanked (reason: "it breaks")',
    ]


def test_a_warning_shows_no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What uv warns of is shown without a password, and what is uv's own affair is not shown."""
    program = tmp_path / "uv"
    program.write_text(
        "#!/bin/sh\n"
        "echo 'warning: The requested Python version 3.13.0 is not available; 3.11.2 will be used' >&2\n"
        "printf 'warning: http://me:hunter22@host/ is odd\\n  and slow\\nResolved 1 package\\n' >&2\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(program))
    warnings: list[str] = []
    running.run(["pip", "compile"], cwd=tmp_path, warnings=warnings)
    assert len(warnings) == 1 and warnings[0].endswith("host/ is odd and slow")
    assert "hunter22" not in warnings[0]


def test_a_failure_that_comes_after_a_warning_shows_the_failure(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Neither progress nor a warning stands in the error of a failed resolution."""
    add_wheel("plain", "2.0")
    with pytest.raises(InputError) as caught:
        read(tmp_path, "plain[none]\nmissing\n")
    assert "missing was not found" in str(caught.value)
    assert "Resolved" not in str(caught.value)


def test_earlier_versions_are_kept_until_an_upgrade(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A newer version on the index changes nothing unless the user asks, for all or for one."""
    for name in ("a", "b"):
        add_wheel(name, "1.0")
    before = versions(read(tmp_path, "a\nb\n"))
    assert before == {"a": "1.0", "b": "1.0"}
    for name in ("a", "b"):
        add_wheel(name, "2.0")
    with serve_directory(tmp_path / "wheels") as server:

        def again(text: str, **options: object) -> dict[str, str]:
            given = ResolverOptions(default_index=server.index, **options)  # type: ignore[arg-type]
            return versions(read(tmp_path, text, options=given, preferences=before))

        assert again("a\nb\n") == before
        assert again("a\nb\n", upgrade_packages=("b",)) == {"a": "1.0", "b": "2.0"}
        assert again("a\nb\n", upgrade=True) == {"a": "2.0", "b": "2.0"}
        assert again("a>=2\nb\n") == {"a": "2.0", "b": "1.0"}


def test_wheels_of_an_index_have_urls(serve: Callable[..., WheelServer], tmp_path: Path) -> None:
    """An index gives URLs, without the login that was needed."""
    server = serve(make_wheel(), user="me:secret")
    index = server.index.replace("http://", "http://me:secret@")
    found = read(tmp_path, "demo\n", options=ResolverOptions(default_index=index))
    wheel = packages(found)["demo"].wheel
    assert wheel.url == server.url("demo-1.0-py3-none-any.whl")
    assert [index.url for index in found.indexes] == [index]
    assert "secret" not in repr(found)


def test_a_failure_shows_uvs_message_and_no_login(add_wheel: AddWheel, tmp_path: Path) -> None:
    """What uv says is passed on, indented; a login in it is not."""
    add_wheel("demo")
    with pytest.raises(InputError) as caught:
        read(tmp_path, "demo>7\n")
    assert "\n    " in str(caught.value) and "demo>7" in str(caught.value)
    with pytest.raises(NixgenError) as caught:
        read(tmp_path, "demo @ http://me:topsecret@127.0.0.1:1/demo-1.0.zip\n")
    assert "topsecret" not in str(caught.value)


def test_an_index_that_does_not_answer_is_a_network_error(tmp_path: Path) -> None:
    """A refused connection is no fault of the input."""
    with pytest.raises(NetworkError, match=r"requirements\.in"):
        read(tmp_path, "demo\n", options=ResolverOptions(default_index="http://127.0.0.1:1/simple"))


def test_a_missing_uv_is_an_error_that_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the executable of uv the error names the remedy."""

    def missing() -> str:
        raise FileNotFoundError("/nowhere/uv")

    monkeypatch.setattr("uv.find_uv_bin", missing)
    with pytest.raises(NixgenError, match="pip install uv"):
        read(tmp_path, "demo\n")


def test_requirements_have_no_extras_to_choose(tmp_path: Path) -> None:
    """Asking for an extra or a group of a requirements file is a usage error."""
    (tmp_path / "requirements.in").write_text("")
    with pytest.raises(UsageError, match="extra web"):
        inputs.read([], targets=[LINUX], base=tmp_path, extras=["web"])


def test_no_requirements_are_no_packages(tmp_path: Path) -> None:
    """An empty file is an empty selection."""
    (tmp_path / "wheels").mkdir()
    assert versions(read(tmp_path, "# nothing\n")) == {}


def test_no_temporary_file_stays(add_wheel: AddWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether uv succeeds or fails, nothing is left behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(scratch))
    add_wheel("demo")
    read(tmp_path, "demo\n")
    with pytest.raises(InputError):
        read(tmp_path, "missing\n")
    assert not list(scratch.iterdir())


def test_a_broken_answer_of_uv_is_an_input_error(tmp_path: Path) -> None:
    """A run of uv that fails raises with its message."""
    with pytest.raises(running.UvFailure, match="unexpected argument"):
        running.run(["pip", "compile", "--no-such-option"], cwd=tmp_path)


def test_the_project_itself_can_be_left_out(add_wheel: AddWheel, tmp_path: Path) -> None:
    """``-e .`` builds the project, unless it is to be left out; any other directory is built."""
    add_wheel("lib")
    for directory, name in ((tmp_path, "me"), (tmp_path / "other", "other")):
        directory.mkdir(exist_ok=True)
        (directory / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = ["lib"]\n'
        )
    options = ResolverOptions(no_index=True, find_links=(str(tmp_path / "wheels"),), no_project=True)
    found = read(tmp_path, "-e .\n", options=options)
    assert versions(found) == {"lib": "1.0"}
    assert found.notes == ("me is the project itself and is left out; its dependencies are not",)
    assert versions(read(tmp_path, "-e .\n")).keys() == {"lib", "me"}
    with pytest.raises(InputError, match=r"other .*: a directory \(other\)"):
        read(tmp_path, "./other\n", no_build=True)
    (other,) = (package for package in packages(read(tmp_path, "./other\n")).values() if package.name == "other")
    assert other.wheel.source is not None and other.wheel.source.directory == "other"


def test_a_wheel_that_cannot_be_read_is_no_fault_of_the_network(add_wheel: AddWheel, tmp_path: Path) -> None:
    """A faulty wheel on disk is an input error that names it."""
    path = add_wheel("faulty")
    # a local header whose name is no UTF-8, and says that it is: uv refuses it while it hashes the wheel
    content = path.read_bytes()
    path.write_bytes(content[:6] + b"\x00\x08" + content[8:30] + b"\xff" + content[31:])
    with pytest.raises(InputError, match="cannot read a wheel") as caught:
        read(tmp_path, "faulty")
    assert "faulty" in str(caught.value)


@pytest.mark.parametrize("form", ["found", "path"])
@pytest.mark.parametrize(
    ("member", "content"),
    [
        pytest.param("RECORD", None, id="no RECORD"),
        pytest.param("RECORD", b"a,b\n", id="a RECORD of two columns"),
        pytest.param("other-2.dist-info/METADATA", b"Name: other\n", id="two dist-info directories"),
        pytest.param("METADATA", b"Name: faulty\nVersion: 1.0\nRequires-Dist: ../evil x\n", id="no requirement"),
    ],
)
def test_what_uv_refuses_of_a_wheel_on_disk_is_the_wheels_fault(
    member: str, content: bytes | None, form: str, add_wheel: AddWheel, tmp_path: Path
) -> None:
    """What uv says of a wheel without naming the network is the wheel's fault: no requirement is to be changed."""
    path = add_wheel("faulty")
    name = member if "/" in member else f"faulty-1.0.dist-info/{member}"
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    members.pop(name, None)
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in (members if content is None else {**members, name: content}).items():
            archive.writestr(each, data)
    with pytest.raises(InputError, match="cannot read a wheel") as caught:
        read(tmp_path, "faulty" if form == "found" else f"faulty @ {path.as_uri()}")
    assert "`wheel pack`" in str(caught.value)


def test_a_name_that_no_directory_has_is_to_be_corrected(tmp_path: Path) -> None:
    """What is not found where it may be is a name to correct, or a place to add: no requirement is too tight."""
    (tmp_path / "wheels").mkdir()
    with pytest.raises(InputError) as caught:
        read(tmp_path, "absent")
    assert "--find-links" in str(caught.value)


def test_an_index_that_uv_does_not_read_is_not_the_requirements_fault(tmp_path: Path) -> None:
    """A page with a hash of a kind that uv does not know is the index's affair, and no requirement is to be changed."""
    name, content = make_wheel("odd", "1.0", {"odd.py": ""})
    with WheelServer({name: content}, Behaviour(algorithm="sha1")) as server, pytest.raises(InputError) as caught:
        read(tmp_path, "odd", options=ResolverOptions(default_index=server.index))
    assert "another index" in str(caught.value)


def test_what_only_windows_contradicts_is_locked(add_wheel: AddWheel, tmp_path: Path) -> None:
    """Where all systems at once have no solution, each that is locked for is resolved by itself, and a note says so."""
    add_wheel("core", "1.0")
    add_wheel("core", "2.0")
    add_wheel("app", "1.0", "core>=2", "core<2; sys_platform == 'win32'", "nowhere; sys_platform == 'win32'")
    found = read(tmp_path, "app\n", LINUX, MAC)
    assert versions(found) == versions(found, MAC) == {"app": "1.0", "core": "2.0"}
    assert any("each system was resolved by itself" in note for note in found.notes)
    with pytest.raises(InputError, match="nowhere"):
        read(tmp_path, "app\nnowhere\n", LINUX, MAC)
