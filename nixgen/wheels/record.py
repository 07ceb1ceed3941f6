"""What a wheel's RECORD promises: the hash and size of every file.

Source: the binary distribution format and "Recording installed projects" of the packaging specifications.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from installer.records import Hash, InvalidRecordEntry, parse_record_file

from nixgen.archives.findings import Findings, quoted

#: The hashes that bind a file's content, with the length of their digest in bytes.
STRONG = {"sha256": 32, "sha384": 48, "sha512": 64}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What RECORD says of one file.

    Attributes:
        algorithm: one of ``STRONG``, None where the row has no usable hash.
        digest: the hash itself, raw bytes.
        size: in bytes, None where the row has none.
    """

    algorithm: str | None = None
    digest: bytes = b""
    size: int | None = None

    def contradicts(self, other: Row) -> bool:
        """Tell whether two rows cannot both be right; one that says nothing contradicts nothing."""
        hashes = None not in (self.algorithm, other.algorithm) and self.algorithm == other.algorithm
        sizes = None not in (self.size, other.size)
        return (hashes and self.digest != other.digest) or (sizes and self.size != other.size)


def to_base64(digest: bytes) -> str:
    """Spell a SHA-256 digest as the model does: 44 characters of standard base64 with padding."""
    return base64.b64encode(digest).decode("ascii")


def sha256_base64(content: bytes) -> str:
    """Hash content with SHA-256 and spell it as the model does."""
    return to_base64(hashlib.sha256(content).digest())


def parse_record(content: bytes, member: str, findings: Findings) -> dict[str, Row]:
    """Read RECORD into one row per path; everything that is wrong with it goes to ``findings``.

    Args:
        content: the bytes of RECORD.
        member: its path in the archive, for messages.
        findings: where two rows that contradict each other and rows that cannot be read are reported.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.problems.append(f"{quoted(member)}: not UTF-8 (byte {error.start})")
        return {}
    rows: dict[str, Row] = {}
    for path, hash_text, size_text in _elements(text, member, findings):
        row = _row(hash_text, size_text)
        other = rows.get(path, row)
        if other.contradicts(row):
            findings.problems.append(f"{quoted(member)}: two rows for {quoted(path)} contradict each other")
        rows[path] = row if other.algorithm is None else other
    return rows


def _elements(text: str, member: str, findings: Findings) -> Iterator[tuple[str, str, str]]:
    # As the lines of a text file end; splitlines() would also cut at U+2028 and the like,
    # which a path may hold.
    lines = iter([line for line in re.split(r"[\r\n]+", text) if line])
    while True:
        try:
            yield from parse_record_file(lines)
        except InvalidRecordEntry as error:
            shown = ",".join(error.elements)
            findings.problems.append(f"{quoted(member)}: not three columns in the row {quoted(shown)}")
        except csv.Error as error:
            findings.problems.append(f"{quoted(member)}: not CSV ({error})")
            return
        else:
            return


def _row(hash_text: str, size_text: str) -> Row:
    size = int(size_text) if size_text.isascii() and size_text.isdigit() and len(size_text) < 20 else None
    try:
        parsed = Hash.parse(hash_text)
        padding = "=" * (-len(parsed.value.rstrip("=")) % 4)
        encoded = parsed.value.rstrip("=").replace("-", "+").replace("_", "/") + padding
        digest = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return Row(size=size)
    algorithm = parsed.name.lower()
    if STRONG.get(algorithm) != len(digest):
        return Row(size=size)
    return Row(algorithm=algorithm, digest=digest, size=size)
