"""Members that a wheel must not have, and oddities that it may."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from nixgen.archives.findings import Findings
from nixgen.archives.names import name_problems
from nixgen.model import WheelIndex
from nixgen.wheels.members import MAX_TOTAL, check_members
from tests.support.wheels import Member, make_wheel, patch_directory

Index = Callable[[tuple[str, bytes]], WheelIndex]
Problems = Callable[[tuple[str, bytes]], str]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.py", "leaves the archive"),
        ("demo/../../evil.py", "leaves the archive"),
        ("demo/..", "leaves the archive"),
        ("../evil/", "leaves the archive"),
        ("/etc/passwd", "absolute"),
        ("//host/share", "absolute"),
        ("C:/evil.py", "drive letter"),
        ("c:evil.py", "drive letter"),
        ("demo\\..\\evil.py", "backslash"),
        ("\\\\host\\share", "backslash"),
        ("demo//evil.py", "empty part"),
        ("demo/./evil.py", "'.' part"),
        ("./evil.py", "'.' part"),
        ("demo/evil\n.py", "control character"),
        ("demo/evil.py\0.txt", "control character"),
        ("demo/\x7f", "control character"),
        ("demo/\x85.py", "control character"),
        ("demo/" + "x" * 256, "longer than 255"),
        ("demo/" + "ü" * 128, "longer than 255"),
        ("x/" * 1100 + "x", "longer than 2048"),
        ("x/" * 200 + "x", "more than 200 parts"),
        ("", "empty part"),
        ("/", "absolute"),
    ],
)
def test_odd_names_are_errors(name: str, said: str, problems_of: Problems) -> None:
    """A member whose raw name is not a plain relative path is an error that names it and says why."""
    problems = problems_of(make_wheel(members=[Member(name=name, recorded=False)]))
    assert said in problems


@pytest.mark.parametrize(
    "name", ["demo/a b.py", "demo/'\"$`;.py", "demo/ü.py", "-x", "~", "demo/...", "demo/a:b", "x" * 255, "a/"]
)
def test_unusual_but_plain_names_pass(name: str) -> None:
    """Names with spaces, quotes, other letters or many dots are plain paths."""
    assert name_problems(name) == []


def test_a_name_spelled_in_two_ways_is_an_error() -> None:
    """A member that zipfile knows under another name than the archive's own is an error."""
    with zipfile.ZipFile(BytesIO(make_wheel()[1])) as archive:
        archive.infolist()[0].filename = "other.py"
        findings = Findings()
        check_members(archive, findings)
    assert findings.problems == ["'demo/__init__.py': the archive spells its name in two ways"]


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFIFO, "special file"),
        (stat.S_IFCHR, "special file"),
        (stat.S_IFBLK, "special file"),
        (stat.S_IFSOCK, "special file"),
        (stat.S_IFDIR | 0o755, "its mode says directory"),
    ],
)
def test_special_files_are_errors(mode: int, said: str, problems_of: Problems) -> None:
    """A symlink, device, pipe or socket in the archive is an error that names it."""
    problems = problems_of(make_wheel(members=[Member(name="demo/x", content="y", external_attr=mode << 16)]))
    assert "'demo/x'" in problems
    assert said in problems


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"flags": 0x1}, "encrypted"),
        ({"flags": 0x40}, "encrypted"),
        ({"method": 99}, "compression (99)"),
        ({"method": zipfile.ZIP_LZMA}, "compression (lzma)"),
        ({"method": zipfile.ZIP_STORED}, "but is stored"),
        ({"size": 2**31}, "more than deflate can give"),
        ({"offset": 2**31}, "outside the archive"),
        ({"offset": 0}, "overlap"),
    ],
)
def test_a_lying_directory_is_an_error(fields: dict[str, int], said: str, problems_of: Problems) -> None:
    """Encryption, foreign compression, impossible sizes and overlaps are errors that name the member."""
    name, wheel = make_wheel(files={"demo/a.py": "a = 1\n", "demo/b.py": "b = 2\n" * 9})
    problems = problems_of((name, patch_directory(wheel, "demo/b.py", **fields)))
    assert "'demo/b.py'" in problems
    assert said in problems


def test_highest_honest_compression_passes(index_of: Index) -> None:
    """A member that deflate shrinks as far as it can is taken for what it declares."""
    assert index_of(make_wheel(files={"zeros": bytes(10_000_000)})).files["zeros"].size == 10_000_000


def test_a_huge_sum_of_sizes_is_an_error() -> None:
    """Members that declare more than the largest total together are an error."""
    with zipfile.ZipFile(BytesIO(make_wheel()[1])) as archive:
        for info in archive.infolist():
            info.file_size = MAX_TOTAL // 2
        findings = Findings()
        check_members(archive, findings)
    assert any("in all, more than" in problem for problem in findings.problems)


def test_duplicates_are_errors(problems_of: Problems) -> None:
    """Two members of one name are an error, even with equal content."""
    problems = problems_of(make_wheel(members=[Member(name="demo/__init__.py", content="answer = 42\n")]))
    assert "'demo/__init__.py': the archive has it 2 times" in problems


@pytest.mark.parametrize("other", ["demo/x/y.py", "demo/x/"])
def test_a_file_that_is_a_directory_is_an_error(other: str, problems_of: Problems) -> None:
    """A name that is a file and a directory at once is an error, also for a bare directory member."""
    problems = problems_of(make_wheel(members=[Member(name="demo/x", content="x"), Member(name=other)]))
    assert "'demo/x': it is a file and a directory at once" in problems


@pytest.mark.parametrize(
    "names", [("demo/A.py", "demo/a.py"), ("demo/straße", "demo/STRASSE"), ("demo/\u00e9", "demo/e\u0301")]
)
def test_names_that_fold_together_are_warned_of(names: tuple[str, str], index_of: Index) -> None:
    """Names equal but for case or normal form are kept, with a warning that macOS cannot hold both."""
    index = index_of(make_wheel(files={name: name for name in names}))
    assert set(names) <= set(index.files)
    (warning,) = index.warnings
    assert "macOS" in warning
    assert all(name in warning for name in names)


def test_directories_are_not_files(index_of: Index) -> None:
    """Members that stand for directories are left out of the index without a word."""
    wheel = make_wheel(members=[Member(name="demo/empty/", external_attr=0o040755 << 16, recorded=False)])
    index = index_of(wheel)
    assert not [path for path in index.files if "empty" in path]
    assert index.warnings == ()


def test_x_bits_are_kept(index_of: Index) -> None:
    """A file is executable where the archive gives it any x bit, and only there."""
    attributes = {"b": 0o100654 << 16, "c": 0o744 << 16, "d": 0}
    index = index_of(make_wheel(files=dict.fromkeys("abcd", "#!x"), executable=["a"], external_attr=attributes))
    assert {path: index.files[path].executable for path in "abcd"} == {
        "a": True,
        "b": True,
        "c": True,
        "d": False,
    }


def test_all_problems_are_reported_at_once(problems_of: Problems) -> None:
    """A wheel with several faults is refused with all of them in one error."""
    wheel = make_wheel(
        members=[Member(name="../up"), Member(name="demo/__init__.py")],
        entry_points={"console_scripts": {"python": "demo:main"}},
        data={"bin/x": ""},
        dist_info={"WHEEL": "Wheel-Version: 9.0\n"},
    )
    problems = problems_of(wheel)
    for part in ("../up", "has it 2 times", "own command", "unknown scheme 'bin'", "Wheel-Version 9.0"):
        assert part in problems


def test_endless_problems_are_counted(problems_of: Problems) -> None:
    """A wheel with thousands of faults lists the first ones and counts the rest."""
    lines = problems_of(make_wheel(members=[Member(name=f"../{n}") for n in range(1000)])).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 950 more problems"


def test_control_characters_do_not_reach_the_terminal(problems_of: Problems) -> None:
    """A name with an escape sequence is shown escaped."""
    problems = problems_of(make_wheel(members=[Member(name="demo/\x1b[31m.py")]))
    assert "\x1b" not in problems
    assert "\\x1b[31m" in problems
