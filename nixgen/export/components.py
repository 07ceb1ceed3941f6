"""Packages of Python as components of a bill of materials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from typing import Any
from urllib.parse import quote

from nixgen.export.cyclonedx import Part
from nixgen.graph import Edge, Graph
from nixgen.model import LockedPackage, WheelSource

#: A longer text in ``License`` is the licence itself, and no name of one.
_LONGEST_NAME = 80


def components(packages: Iterable[LockedPackage], graph: Graph[Edge], metadata: Mapping[str, bytes]) -> Part:
    """Return an environment of Python's packages as a part of a bill.

    Args:
        packages: those of the environment.
        graph: who requires whom there.
        metadata: METADATA of the wheels, by file name, for their licences; it may lack some.
    """
    chosen = sorted(packages, key=lambda package: package.name)
    references = {package.name: _purl(package) for package in chosen}
    own = graph.own
    return Part(
        components=[
            _component(package, metadata.get(package.wheel.filename, b"")) for package in chosen if package.name != own
        ],
        dependencies={
            reference: {references[edge.name] for edge in graph.edges.get(name, ())}
            for name, reference in references.items()
        },
        roots={references[edge.name] for edge in graph.roots if edge.name in references and edge.name != own},
        own=references[own] if own is not None else None,
    )


def _component(package: LockedPackage, metadata: bytes) -> dict[str, Any]:
    wheel = package.wheel
    place, sha256 = _distribution(wheel)
    hashes = {"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}
    kind = "vcs" if wheel.source is not None and wheel.source.repository is not None else "distribution"
    return {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "purl": _purl(package),
        **hashes,
        **_licenses(metadata),
        **({"externalReferences": [{"type": kind, "url": place, **hashes}]} if place else {}),
    }


def _distribution(wheel: WheelSource) -> tuple[str | None, str | None]:
    """Return the URL of what is installed or built, and its SHA-256."""
    if wheel.source is None:
        return wheel.url, wheel.sha256
    source = wheel.source
    if source.repository is not None:
        return f"{source.repository}", None
    return source.url, source.sha256 if source.directory is None else None


def _purl(package: LockedPackage) -> str:
    """Return the package URL (purl, type ``pypi``), with the place of what is in no index."""
    found = f"pkg:pypi/{package.name}@{quote(package.version, safe='.')}"
    wheel, source = package.wheel, package.wheel.source
    if source is not None and source.repository is not None:
        return f"{found}?vcs_url={quote(f'git+{source.repository}@{source.commit}', safe='')}"
    if wheel.direct or (source is not None and source.direct):
        return f"{found}?download_url={quote((wheel.url or (source.url if source else None)) or '', safe='')}"
    return found


def _licenses(metadata: bytes) -> dict[str, Any]:
    headers = HeaderParser().parsestr(metadata.decode("utf-8", "replace"))
    expression = str(headers.get("License-Expression") or "").strip()
    if expression:
        return {"licenses": [{"expression": expression}]}
    name = str(headers.get("License") or "").strip()
    if not name or name == "UNKNOWN" or len(name) > _LONGEST_NAME or "\n" in name:
        classifiers = (str(line).split(" :: ") for line in headers.get_all("Classifier", []))
        name = next((parts[-1] for parts in classifiers if parts[0] == "License" and len(parts) > 1), "")
    return {"licenses": [{"license": {"name": name}}]} if name else {}
