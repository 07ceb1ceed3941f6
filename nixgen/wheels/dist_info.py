"""Which ``.dist-info`` directory is the wheel's own, and whether it agrees with the wheel's file name.

Source: the binary distribution format and the core metadata specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import BytesParser

from packaging.metadata import parse_email
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from nixgen.archives.findings import Findings, quoted, some

#: Signatures of RECORD, which like RECORD itself have no row there (PEP 427).
UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")

_WHEEL_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a wheel's file name says: normalized name and version."""

    name: str
    version: Version

    def fits(self, name: str, version: str) -> bool:
        """Tell whether name and version, however spelled, are these."""
        try:
            same = Version(version.replace("_", "-")) == self.version
        except InvalidVersion:
            return False
        return canonicalize_name(name) == self.name and same


def parse_filename(filename: str, findings: Findings) -> Identity | None:
    """Read a wheel's file name; None where it is none, with the problem in ``findings``."""
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion) as error:
        findings.problems.append(f"its file name is not that of a wheel ({error})")
        return None
    return Identity(name=name, version=version)


def find_dist_info(paths: Iterable[str], identity: Identity, findings: Findings) -> str | None:
    """Give the one top-level ``.dist-info`` directory that fits the file name; None with a problem otherwise.

    Directories further down, such as those of vendored packages, are ordinary files of the wheel.
    """
    found = _top_level(paths, ".dist-info")
    if not found:
        findings.problems.append("it has no .dist-info directory at its top level")
    elif len(found) > 1:
        findings.problems.append(f"it has {len(found)} .dist-info directories at its top level: {some(found)}")
    elif not _fits(found[0], ".dist-info", identity):
        # Perhaps no fault of the wheel's: a server may have given another one, as the hash of all of it will tell.
        findings.damage.append(f"{quoted(found[0])}: it does not fit the wheel's file name")
    else:
        return found[0]
    return None


def find_data_dir(paths: Iterable[str], identity: Identity, findings: Findings) -> str | None:
    """Give the top-level ``.data`` directory, None where there is none or it is a problem.

    pip takes every top-level ``.data`` directory for one, other installers only the fitting one: a wheel with
    any other would differ from installer to installer, so it is refused.
    """
    found = _top_level(paths, ".data")
    for directory in found:
        if not _fits(directory, ".data", identity):
            findings.problems.append(f"{quoted(directory)}: it does not fit the wheel's file name")
    if len(found) > 1:
        findings.problems.append(f"it has {len(found)} .data directories at its top level: {some(found)}")
    return found[0] if len(found) == 1 else None


def check_metadata(content: bytes, member: str, identity: Identity, findings: Findings) -> None:
    """Report a name or version in METADATA that contradicts the file name, and what cannot be read."""
    try:
        metadata, _ = parse_email(content)
    except (ValueError, LookupError) as error:
        findings.problems.append(f"{quoted(member)}: it cannot be parsed ({type(error).__name__})")
        return
    name, version = metadata.get("name", ""), metadata.get("version", "")
    for field, value, fits in (
        ("Name", name, identity.fits(name, str(identity.version))),
        ("Version", version, identity.fits(identity.name, version)),
    ):
        if not value:
            findings.problems.append(f"{quoted(member)}: it has no {field}, or several")
        elif not fits:
            findings.problems.append(f"{quoted(member)}: its {field} {quoted(value)} contradicts the wheel's file name")


def check_wheel_file(content: bytes, member: str, findings: Findings) -> None:
    """Report a ``Wheel-Version`` that is missing or of a format this code does not know."""
    values = BytesParser().parsebytes(content, headersonly=True).get_all("Wheel-Version", [])
    match = _WHEEL_VERSION.fullmatch(str(values[0]).strip()) if len(values) == 1 else None
    if match is None:
        findings.problems.append(f"{quoted(member)}: it has no usable Wheel-Version")
    elif int(match[1]) != 1:
        findings.problems.append(f"{quoted(member)}: Wheel-Version {match[0]} is not known (known: 1.x)")
    elif int(match[2]) > 0:
        findings.warnings.append(f"{quoted(member)}: Wheel-Version {match[0]} is newer than 1.0")


def _top_level(paths: Iterable[str], suffix: str) -> list[str]:
    tops = (path.partition("/") for path in paths)
    return sorted({top for top, slash, _ in tops if slash and top.endswith(suffix)})


def _fits(directory: str, suffix: str, identity: Identity) -> bool:
    name, _, version = directory.removesuffix(suffix).rpartition("-")
    return identity.fits(name, version)
