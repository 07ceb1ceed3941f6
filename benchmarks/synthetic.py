"""Wheels of our own making: as many files as wanted, the same bytes every time.

A fifth of the files is data, the rest are modules in packages, each of 1 to 8 KB and with content of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import zipfile
from pathlib import Path

VERSION = "1.0"

#: The files of one wheel, with those of its ``.dist-info``.
FILES_A_WHEEL = 1000

#: The distributions; each is its own top-level package.
NAMES = tuple(f"made{number:03}" for number in range(100))

#: The distributions of a project with many small ones.
MANY = tuple(f"many{number:03}" for number in range(300))

_WORDS = ("alpha", "beta", "gamma", "delta", "index", "table", "value", "width", "count", "label", "order", "point")

#: The first moment that zip can express.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def make(directory: Path) -> None:
    """Write every wheel into a directory."""
    for name in NAMES:
        write_wheel(directory, name, FILES_A_WHEEL)


def make_many(directory: Path) -> None:
    """Write every wheel of a project with many small ones into a directory, each of 30 files."""
    for name in MANY:
        write_wheel(directory, name, 30)


def write_wheel(directory: Path, name: str, files: int) -> Path:
    """Write one wheel and return its path.

    Args:
        directory: where to.
        name: of the distribution and its package; what is random follows from it alone.
        files: how many it holds in all; 10 at least.
    """
    contents = package_files(name, files - 3)
    info = f"{name}-{VERSION}.dist-info"
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: nixgen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"])
    path = directory / f"{name}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in contents.items():
            entry = zipfile.ZipInfo(member, _MOMENT)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return path


def package_files(name: str, count: int) -> dict[str, str]:
    """Return the text of each file of a package by its path: packages of 40 files, each with an ``__init__``."""
    chance = random.Random(name)
    found = {f"{name}/__init__.py": f'"""The package {name}."""\n'}
    package = ""
    while len(found) < count:
        number = len(found)
        if number % 40 == 1:
            package = f"{name}/part{number // 40:03}"
            found[f"{package}/__init__.py"] = f'"""Part {number // 40} of {name}."""\n'
        elif number % 5 == 0:
            found[f"{package}/data{number:04}.json"] = _data(chance, f"{name} {number}")
        else:
            found[f"{package}/module{number:04}.py"] = _module(chance, f"{name} {number}")
    return found


def _module(chance: random.Random, title: str) -> str:
    parts = [f'"""Module {title}."""\n']
    size, wanted = 0, chance.randint(1000, 8000)
    while size < wanted:
        first, second = chance.choice(_WORDS), chance.choice(_WORDS)
        number = len(parts)
        parts.append(
            f"\n\ndef {first}_{second}_{number}({first}, other={chance.randint(0, 999)}):\n"
            f'    """Return {first} with {chance.choice(_WORDS)} {chance.randint(0, 999)}."""\n'
            f"    found = [{first} * step + other for step in range({chance.randint(2, 99)})]\n"
            f"    if found and {first} != other:\n"
            f'        return {{"{second}": found[-1], "{first}": sum(found)}}\n'
            f"    return {{}}\n"
        )
        size += len(parts[-1])
    return "".join(parts)


def _data(chance: random.Random, title: str) -> str:
    rows = [{word: chance.randint(0, 10**6) for word in _WORDS} for _ in range(chance.randint(4, 30))]
    return json.dumps({"title": title, "rows": rows}, indent=1) + "\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
