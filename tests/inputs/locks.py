"""Locks made in memory, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable

SHA256 = "0123456789abcdef" * 4
HOST = "https://files.example.org"


def lock(*packages: str, head: str = "") -> str:
    """Write the text of a lock."""
    return "\n".join(['lock-version = "1.0"', 'created-by = "tests"', head, *packages])


def package(
    name: str,
    version: str | None = "1.0",
    *,
    tags: Iterable[str] = ("py3-none-any",),
    marker: str | None = None,
    more: str = "",
    sdist: bool = False,
    files: Iterable[str] = (),
) -> str:
    """Write a package with a wheel per tag, or with the wheels that ``files`` spells out."""
    stem = f"{name.replace('-', '_')}-{version}"
    wheels = [
        *(f'{{ url = "{HOST}/{stem}-{tag}.whl", size = 7, hashes = {{ sha256 = "{SHA256}" }} }}' for tag in tags),
        *files,
    ]
    lines = ["[[packages]]", f'name = "{name}"']
    lines += [f'version = "{version}"'] if version else []
    lines += [f"marker = {json.dumps(marker)}"] if marker else []
    lines += [f"wheels = [{', '.join(wheels)}]"] if wheels else []
    if sdist:
        lines += [f'sdist = {{ url = "{HOST}/{stem}.tar.gz", hashes = {{ sha256 = "{SHA256}" }} }}']
    return "\n".join([*lines, more])
