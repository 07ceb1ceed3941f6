"""The wheel's own .dist-info directory, METADATA and WHEEL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nixgen.model import WheelIndex
from tests.support.wheels import make_wheel, nix_sha256

Index = Callable[[tuple[str, bytes]], WheelIndex]
Problems = Callable[[tuple[str, bytes]], str]


def test_an_honest_wheel_is_indexed(index_of: Index) -> None:
    """An ordinary wheel gives name, directory and every file with hash and size."""
    index = index_of(make_wheel(files={"demo/__init__.py": "x = 1\n", "demo/empty": ""}))
    assert (index.name, index.dist_info, index.data_dir) == ("demo", "demo-1.0.dist-info", None)
    assert list(index.files) == sorted(index.files)
    assert index.files["demo/__init__.py"].sha256 == nix_sha256("x = 1\n")
    assert index.files["demo/__init__.py"].size == 6
    assert index.files["demo/empty"].sha256 == nix_sha256("")
    assert {path.split("/")[1] for path in index.files if ".dist-info/" in path} == {"METADATA", "WHEEL", "RECORD"}
    assert index.warnings == ()


@pytest.mark.parametrize(
    ("name", "version", "normal"),
    [
        ("My.Demo_Thing", "1.0", "my-demo-thing"),
        ("demo", "1.0+cu118", "demo"),
        ("demo", "2!1.0rc1.post2", "demo"),
    ],
)
def test_spelling_of_the_name_is_free(name: str, version: str, normal: str, index_of: Index) -> None:
    """Names and versions are compared in their normal form; the directory keeps its spelling."""
    index = index_of(make_wheel(name=name, version=version))
    assert (index.name, index.dist_info) == (normal, f"{name}-{version}.dist-info")


def test_vendored_dist_info_is_ordinary(index_of: Index) -> None:
    """A .dist-info directory below the top is made of ordinary files of the wheel."""
    files = {"demo/_vendor/other-2.0.dist-info/RECORD": "x,,\n", "demo/_vendor/other-2.0.dist-info/INSTALLER": "pip"}
    index = index_of(make_wheel(files=files))
    assert set(files) <= set(index.files)
    assert index.dist_info == "demo-1.0.dist-info"
    assert index.warnings == ()


@pytest.mark.parametrize("other", ["other-2.0", "demo-1.0.0", "Demo-1.0"])
def test_two_dist_info_directories_are_an_error(other: str, problems_of: Problems) -> None:
    """A second .dist-info directory at the top level is an error that names both."""
    problems = problems_of(make_wheel(files={f"{other}.dist-info/METADATA": "x"}))
    assert "2 .dist-info directories" in problems
    assert other in problems


def test_no_dist_info_is_an_error(problems_of: Problems) -> None:
    """An archive without a .dist-info directory is no wheel."""
    filename, _ = make_wheel()
    empty = make_wheel(dist_info={"METADATA": None, "WHEEL": None, "RECORD": None})[1]
    assert "no .dist-info directory" in problems_of((filename, empty))


@pytest.mark.parametrize("filename", ["other-1.0-py3-none-any.whl", "demo-1.1-py3-none-any.whl"])
def test_a_foreign_dist_info_is_an_error(filename: str, problems_of: Problems) -> None:
    """A .dist-info directory of another name or version than the file's is an error."""
    assert "does not fit the wheel's file name" in problems_of((filename, make_wheel()[1]))


@pytest.mark.parametrize("filename", ["demo.whl", "demo-1.0.zip", "demo-x.y-py3-none-any.whl", "demo-1.0-any.whl"])
def test_a_file_name_that_is_no_wheels_is_an_error(filename: str, problems_of: Problems) -> None:
    """A file name that does not follow the wheel format is an error."""
    assert "not that of a wheel" in problems_of((filename, make_wheel()[1]))


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_required_files_are_required(missing: str, problems_of: Problems) -> None:
    """A wheel without METADATA, WHEEL or RECORD is refused with the name of what is missing."""
    problems = problems_of(make_wheel(dist_info={missing: None}))
    assert problems == f"'demo-1.0.dist-info/{missing}': the archive does not have it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "Name 'other' contradicts"),
        ("Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n", "Version '1.1' contradicts"),
        ("Metadata-Version: 2.1\nName: demo\nVersion: nonsense\n", "Version 'nonsense' contradicts"),
        ("Metadata-Version: 2.1\nName: demo\n", "has no Version"),
        ("Metadata-Version: 2.1\nVersion: 1.0\n", "has no Name"),
        ("Name: demo\nName: other\nVersion: 1.0\n", "has no Name, or several"),
        (b"\xff\xfe\x00", "has no Name"),
        ("", "has no Name"),
    ],
)
def test_metadata_must_agree_with_the_file_name(text: str | bytes, said: str, problems_of: Problems) -> None:
    """METADATA that contradicts the file name, or lacks name or version, is an error that says which."""
    problems = problems_of(make_wheel(dist_info={"METADATA": text}))
    assert said in problems
    assert "demo-1.0.dist-info/METADATA" in problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Wheel-Version: 2.0\n", "Wheel-Version 2.0 is not known"),
        ("Wheel-Version: 0.9\n", "Wheel-Version 0.9 is not known"),
        ("Wheel-Version: new\n", "no usable Wheel-Version"),
        ("Wheel-Version: 1.0\nWheel-Version: 2.0\n", "no usable Wheel-Version"),
        ("", "no usable Wheel-Version"),
        (b"\xff\xff", "no usable Wheel-Version"),
    ],
)
def test_unknown_wheel_versions_are_errors(text: str | bytes, said: str, problems_of: Problems) -> None:
    """A wheel of another major format, or of none, is refused."""
    problems = problems_of(make_wheel(dist_info={"WHEEL": text}))
    assert said in problems
    assert "demo-1.0.dist-info/WHEEL" in problems


def test_a_newer_minor_version_is_a_warning(index_of: Index) -> None:
    """A wheel of a newer minor format is used, with a warning."""
    assert "newer than 1.0" in index_of(make_wheel(dist_info={"WHEEL": "Wheel-Version: 1.7\n"})).warnings[0]


@pytest.mark.parametrize("name", ["INSTALLER", "REQUESTED", "direct_url.json"])
def test_what_installers_write_is_left_out(name: str, index_of: Index) -> None:
    """Files of .dist-info that an installer writes are left out with a warning where a wheel ships them."""
    index = index_of(make_wheel(dist_info={name: "x"}))
    assert f"demo-1.0.dist-info/{name}" not in index.files
    assert name in index.warnings[0]


def test_bytecode_is_kept(index_of: Index) -> None:
    """Bytecode that a wheel ships is an ordinary file of it."""
    assert (
        "demo/__pycache__/a.cpython-311.pyc"
        in index_of(make_wheel(files={"demo/__pycache__/a.cpython-311.pyc": b"\0"})).files
    )


def test_huge_metadata_is_an_error(problems_of: Problems) -> None:
    """A METADATA file that declares more than 64 MiB is refused, without being unpacked."""
    wheel = make_wheel(dist_info={"METADATA": bytes(65 * 1024 * 1024)})
    assert "too many for metadata" in problems_of(wheel)
