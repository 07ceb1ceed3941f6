"""RECORD: honest, broken, weak."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from nixgen.archives.findings import Findings
from nixgen.errors import NixgenError, VerificationError
from nixgen.model import WheelIndex
from nixgen.wheels.record import Row, parse_record
from tests.support.wheels import make_wheel, nix_sha256, record_row

Index = Callable[[tuple[str, bytes]], WheelIndex]
Problems = Callable[[tuple[str, bytes]], str]
Rows = list[tuple[str, str, str]]

RECORD = "demo-1.0.dist-info/RECORD"


def replaced(path: str, *rows: tuple[str, str, str]) -> Callable[[Rows], Rows]:
    """Give a function that puts ``rows`` in the place of the row of ``path``."""
    return lambda honest: [*rows, *(row for row in honest if row[0] != path)]


def parsed(text: str | bytes) -> tuple[dict[str, Row], Findings]:
    """Parse the text of a RECORD."""
    findings = Findings()
    return parse_record(text if isinstance(text, bytes) else text.encode(), RECORD, findings), findings


def test_rows_become_digests() -> None:
    """A row gives algorithm, raw digest and size; quoted paths, no hash and blank lines are understood."""
    text = ",".join(record_row("a.py", b"a")) + '\r\n\n"b,c",,\n'
    rows, findings = parsed(text)
    assert rows == {
        "a.py": Row(algorithm="sha256", digest=hashlib.sha256(b"a").digest(), size=1),
        "b,c": Row(),
    }
    assert findings == Findings()


@pytest.mark.parametrize(
    "hash_text",
    [
        "",
        "sha256",
        "sha256=",
        "sha256=!!!",
        "sha256=" + "A" * 10,
        "sha256=" + hashlib.sha256(b"").hexdigest(),
        "md5=" + "A" * 22,
        "sha1=" + "A" * 27,
        "blake9=" + "A" * 43,
        "sha512=" + "A" * 43,
    ],
)
def test_weak_and_malformed_hashes_bind_nothing(hash_text: str) -> None:
    """A hash that is weak, unknown, too short or spelled oddly counts as none."""
    rows, findings = parsed(f"a.py,{hash_text},1\n")
    assert rows["a.py"] == Row(size=1)
    assert findings.problems == []


@pytest.mark.parametrize("size", ["", "-1", "1.5", "x", "9" * 40, "\u0663"])
def test_odd_sizes_count_as_none(size: str) -> None:
    """A size that is no number of bytes counts as none."""
    assert parsed(f"a.py,,{size}\n")[0]["a.py"].size is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a,b,c,d\n", "not three columns"),
        (b"a\nb,c\n", "not three columns"),
        (b"\n\n \n", "not three columns"),
        (b"a" * 200_000 + b",,\n", "not CSV"),
        ("a,sha256=" + "A" * 43 + ",1\na,sha256=" + "B" * 42 + "A,1\n", "contradict each other"),
    ],
)
def test_an_unreadable_record_is_an_error(content: bytes | str, said: str, problems_of: Problems) -> None:
    """A RECORD that is not UTF-8, not CSV, or contradicts itself is an error that names it."""
    problems = problems_of(make_wheel(record=content))
    assert said in problems
    assert RECORD in problems


def test_every_bad_row_is_reported() -> None:
    """Each row with too many or too few columns is reported, not only the first."""
    rows, findings = parsed("a\nb,,\nc,,,,\n")
    assert list(rows) == ["b"]
    assert len(findings.problems) == 2


def test_equal_rows_are_no_contradiction(index_of: Index) -> None:
    """A row that stands twice with the same hash counts once."""
    assert index_of(make_wheel(record=lambda rows: rows + rows)).warnings == ()


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\r", "\n\n"])
def test_lines_end_in_every_way(end: str) -> None:
    """A RECORD of another system is read as pip and uv read it."""
    lines = [",".join(record_row(name, name.encode())) for name in ("a.py", "b.py")]
    rows, findings = parsed("".join(f"{line}{end}" for line in lines))
    assert rows.keys() == {"a.py", "b.py"} and findings == Findings()
    assert rows["b.py"].digest == hashlib.sha256(b"b.py").digest()


def test_a_missing_record_is_an_error(problems_of: Problems) -> None:
    """A wheel without RECORD is refused."""
    assert RECORD in problems_of(make_wheel(dist_info={"RECORD": None}))


def test_rows_without_a_file_are_warned_of(index_of: Index) -> None:
    """A row whose file is not in the archive, or whose path is spelled oddly, is ignored with a warning."""
    extra = [record_row(path, b"x") for path in ("gone.py", "./demo/__init__.py", "/etc/passwd", "../up")]
    index = index_of(make_wheel(record=lambda rows: rows + extra))
    assert "gone.py" not in index.files
    (warning,) = index.warnings
    assert "files that the archive does not have" in warning
    assert "and 1 more" in warning


def test_another_size_is_warned_of(index_of: Index) -> None:
    """A size in RECORD that is not the archive's is a warning: the hash decides."""
    path, digest, _ = record_row("demo/__init__.py", b"answer = 42\n")
    index = index_of(make_wheel(record=replaced(path, (path, digest, "7"))))
    assert index.files[path].size == 12
    assert "another size" in index.warnings[0]


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (("demo/__init__.py", "", ""),),
        (record_row("demo/__init__.py", b"answer = 42\n", "md5"),),
        (record_row("demo/__init__.py", b"answer = 42\n", "sha1"),),
        (record_row("demo/__init__.py", b"answer = 42\n", "sha384"),),
        (record_row("demo/__init__.py", b"answer = 42\n", "sha512"),),
        (record_row("./demo/__init__.py", b"answer = 42\n"),),
    ],
    ids=["no row", "no hash", "md5", "sha1", "sha384", "sha512", "odd path"],
)
def test_files_without_a_usable_hash_are_hashed(rows: tuple[tuple[str, str, str], ...], index_of: Index) -> None:
    """A file that RECORD gives no SHA-256 for gets the hash of its content, with a warning that names it."""
    index = index_of(make_wheel(record=replaced("demo/__init__.py", *rows)))
    assert index.files["demo/__init__.py"].sha256 == nix_sha256("answer = 42\n")
    assert any("no SHA-256" in warning and "demo/__init__.py" in warning for warning in index.warnings)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_other_strong_hashes_are_checked(algorithm: str, index_of: Index) -> None:
    """A SHA-384 or SHA-512 of RECORD that the content does not have is a failed verification."""
    wrong = record_row("demo/__init__.py", b"something else", algorithm)
    with pytest.raises(VerificationError, match=f"demo/__init__.py.*expected {algorithm}="):
        index_of(make_wheel(record=replaced("demo/__init__.py", wrong)))


def test_record_and_its_signatures_are_hashed(index_of: Index) -> None:
    """RECORD and its signatures, which have no row, are in the index with the hash of their content."""
    dist_info = {"RECORD.jws": "{}", "RECORD.p7s": b"\x30\x80"}
    drop = "demo-1.0.dist-info/RECORD."
    wheel = make_wheel(dist_info=dist_info, record=lambda rows: [row for row in rows if not row[0].startswith(drop)])
    index = index_of(wheel)
    for name, content in dist_info.items():
        assert index.files[f"demo-1.0.dist-info/{name}"].sha256 == nix_sha256(content)
    assert RECORD in index.files
    assert index.warnings == ()


def test_an_empty_hash_for_a_file_with_bytes_is_an_error(index_of: Index) -> None:
    """A file with bytes and the hash of nothing, or the other way round, is an error that names it."""
    path = "demo/__init__.py"
    for wheel in (
        make_wheel(record=replaced(path, record_row(path, b""))),
        make_wheel(files={path: ""}, record=replaced(path, record_row(path, b"x"))),
    ):
        with pytest.raises(NixgenError, match=path):
            index_of(wheel)


def test_a_second_row_that_says_nothing_is_nothing(index_of: Index) -> None:
    """Of two rows for a file the one with a hash counts, whichever comes first, as with pip and uv."""
    path = "demo/__init__.py"
    rows = [record_row(path, b"answer = 42\n"), (path, "", "")]
    for two in (rows, rows[::-1]):
        wheel = make_wheel(files={path: "answer = 42\n"}, record=replaced(path, *two))
        assert index_of(wheel).files[path].sha256 == nix_sha256("answer = 42\n")
