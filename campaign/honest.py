"""Honest wheels for what is hostile elsewhere: their files, the pylock.toml that pins them, and a comparison."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from campaign.archive import Ending, Member, write
from nixgen.temporary import is_temporary

#: What an installer adds to a wheel's ``.dist-info``, and changes there.
_INSTALLERS = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})


@dataclass(frozen=True, kw_only=True)
class Honest:
    """A wheel.

    Attributes:
        name, filename: of the wheel.
        files: what belongs below site-packages, but for RECORD.
        content: its bytes.
    """

    name: str
    filename: str
    files: Mapping[str, bytes]
    content: bytes

    @property
    def digest(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def honest(name: str, files: Mapping[str, bytes]) -> Honest:
    """Make a wheel of these files below site-packages."""
    info = f"{name}-1.0.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: campaign\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in whole.items()]
    record = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    written = {**whole, f"{info}/RECORD": record}
    members = [Member(name=path.encode(), content=content) for path, content in written.items()]
    return Honest(name=name, filename=f"{name}-1.0-py3-none-any.whl", files=whole, content=write(members, Ending()))


def pin(project: Path, wheels: Iterable[Honest], base: str) -> None:
    """Write the pylock.toml that has these wheels, served below a URL."""
    text = 'lock-version = "1.0"\ncreated-by = "campaign"\n'
    for wheel in wheels:
        text += (
            f'\n[[packages]]\nname = {json.dumps(wheel.name)}\nversion = "1.0"\n\n[[packages.wheels]]\n'
            f'url = {json.dumps(f"{base}/wheels/{wheel.filename}")}\nhashes = {{ sha256 = "{wheel.digest}" }}\n'
        )
    (project / "pylock.toml").write_text(text)


def differences(environment: Path, wheels: Iterable[Honest]) -> list[str]:
    """Say where the packages of an environment are not exactly these wheels' files."""
    (site,) = environment.glob("lib/python3*/site-packages")
    wanted: dict[str, bytes] = {}
    for wheel in wheels:
        wanted |= wheel.files
    there = set(_files(site))
    found = []
    for path, content in wanted.items():
        if path not in there:
            found.append(f"{path} is not in the environment")
        elif (site / path).read_bytes() != content:
            found.append(f"{path} has other content in the environment")
    tops = {path.split("/")[0] for path in wanted}
    for path in sorted(there - wanted.keys()):
        top, _, name = path.partition("/")
        own = path.startswith("__pycache__") or "/__pycache__/" in path or is_temporary(top)
        if top in tops and not own and not (top.endswith(".dist-info") and name in _INSTALLERS):
            found.append(f"{path} is in the environment, and no wheel's")
    return found


def _files(directory: Path, prefix: str = "") -> Iterable[str]:
    # Links to directories are followed: an environment is made of them.
    for path in directory.iterdir():
        if path.is_dir():
            yield from _files(path, f"{prefix}{path.name}/")
        else:
            yield f"{prefix}{path.name}"


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
