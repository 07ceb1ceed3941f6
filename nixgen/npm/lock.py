"""The section ``npm`` of nixgen.lock: a package as JSON, on lines of its own, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from nixgen.npm.model import Checkout, NpmArchive, NpmLock, NpmPackage

_INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")

#: The lists of a package, and its words, as the section has them.
_LISTS = ("undeclared", "os", "cpu", "libc", "drops", "serves")
_WORDS = {"dev": "dev", "optional": "optional", "devOptional": "dev_optional", "peer": "peer"}
_MAPPINGS = ("dependencies", "bin", "scripts")


def section_to_text(lock: NpmLock) -> str:
    """Return the section as it stands in the file: the same section gives the same bytes."""
    lines = {
        **({"name": _json(lock.name)} if lock.name else {}),
        **({"workspaces": _json(list(lock.workspaces))} if lock.workspaces else {}),
        **({"scripts": _json(list(lock.scripts))} if lock.scripts else {}),
        "packages": _packages_to_text(lock),
    }
    return "{\n" + ",\n".join(f"  {_json(key)}: {value}" for key, value in lines.items()) + "\n }"


def section_from_json(data: Mapping[str, Any]) -> NpmLock:
    """Read the section.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is damaged.
    """
    return NpmLock(
        name=data.get("name", ""),
        workspaces=tuple(data.get("workspaces", ())),
        scripts=tuple(data.get("scripts", ())),
        packages=tuple(_package_from_json(package) for package in data["packages"]),
    )


def _packages_to_text(lock: NpmLock) -> str:
    lines = ",\n".join(f"   {_package_to_text(package)}" for package in lock.packages)
    return f"[\n{lines}\n  ]" if lines else "[]"


def _package_to_text(package: NpmPackage) -> str:
    """Return a package on a line, or several: what it is, its archive, whom it needs, the rest."""
    archive = package.archive
    parts: list[dict[str, Any]] = [
        {
            "at": package.at,
            "name": package.name,
            **({"version": package.version} if package.version else {}),
            **({} if package.link is None else {"link": package.link}),
            **{word: True for word, name in _WORDS.items() if getattr(package, name)},
        },
        {} if archive is None else _of_archive(archive),
        _said(package, "dependencies", "undeclared"),
        _said(package, "bin", "scripts", "os", "cpu", "libc", "drops", "serves")
        | ({} if package.cycle is None else {"cycle": package.cycle}),
    ]
    return "{" + ",\n    ".join(_json(part)[1:-1] for part in parts if part) + "}"


def _of_archive(archive: NpmArchive) -> dict[str, Any]:
    size = {} if archive.size is None else {"size": archive.size}
    return {**_place(archive), "integrity": archive.integrity, **size}


def _place(archive: NpmArchive) -> dict[str, Any]:
    checkout = archive.checkout
    if checkout is None:
        return {"path": archive.path} if archive.url is None else {"url": archive.url}
    files = {"files": list(checkout.files)} if checkout.files else {}
    return {"repository": checkout.repository, "commit": checkout.commit, **files}


def _said(package: NpmPackage, *names: str) -> dict[str, Any]:
    """Return some fields of a package as JSON has them, without those that are empty."""
    values = {name: getattr(package, name) for name in names}
    return {name: list(value) if name in _LISTS else _ordered(name, value) for name, value in values.items() if value}


def _ordered(name: str, value: Mapping[str, str]) -> dict[str, str]:
    return dict(value) if name == "scripts" else dict(sorted(value.items()))


def _package_from_json(data: Mapping[str, Any]) -> NpmPackage:
    if ("integrity" in data) == ("link" in data):
        raise ValueError(f"{data['at']} has not one of integrity and link")
    rest: dict[str, Any] = {
        **{name: dict(data.get(name, {})) for name in _MAPPINGS},
        **{name: tuple(data.get(name, ())) for name in _LISTS},
        **{name: data.get(word, False) is True for word, name in _WORDS.items()},
    }
    return NpmPackage(
        at=data["at"],
        name=data["name"],
        version=data.get("version", ""),
        archive=_archive_from_json(data) if "integrity" in data else None,
        link=data.get("link"),
        cycle=data.get("cycle"),
        **rest,
    )


def _archive_from_json(data: Mapping[str, Any]) -> NpmArchive:
    if not _INTEGRITY.fullmatch(data["integrity"]):
        raise ValueError(f"{data['at']} has no integrity but {data['integrity']!r}")
    if len(data.keys() & {"url", "path", "repository"}) != 1:
        raise ValueError(f"{data['at']} has not one of url, path and repository")
    return NpmArchive(
        url=data.get("url"),
        path=data.get("path"),
        checkout=_checkout_from_json(data) if "repository" in data else None,
        integrity=data["integrity"],
        size=data.get("size"),
    )


def _checkout_from_json(data: Mapping[str, Any]) -> Checkout:
    return Checkout(repository=data["repository"], commit=data["commit"], files=tuple(data.get("files", ())))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
