"""Packages of npm as components of a bill of materials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from nixgen.export.cyclonedx import Part
from nixgen.graph.graph import Graph
from nixgen.npm.archive import ArchiveIndex
from nixgen.npm.graph import NpmEdge
from nixgen.npm.model import NpmArchive, NpmPackage
from nixgen.npm.supply import digest_of


def components(packages: Iterable[NpmPackage], graph: Graph[NpmEdge], indexes: Mapping[str, ArchiveIndex]) -> Part:
    """Return an environment of npm's packages as a part of a bill; what lies at several places is one component.

    Args:
        packages: those of the environment.
        graph: who needs whom there.
        indexes: of the archives, by their integrity, for their licences.
    """
    first: dict[tuple[str, str, str], str] = {}
    references: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    for package in sorted(packages, key=lambda package: (package.name, package.version, package.at)):
        what = package.archive.integrity if package.archive is not None else package.link or ""
        known = first.get((package.name, package.version, what))
        if known is None:
            purl = _purl(package)
            # Two archives may call themselves alike.
            known = purl if purl not in references.values() else f"{purl}#{package.at}"
            first[package.name, package.version, what] = known
            found.append(_component(package, known, purl, indexes.get(what)))
        references[package.at] = known
    dependencies: dict[str, set[str]] = {reference: set() for reference in references.values()}
    for at, reference in references.items():
        dependencies[reference] |= {references[edge.name] for edge in graph.edges.get(at, ())} - {reference}
    return Part(components=found, dependencies=dependencies, roots={references[edge.name] for edge in graph.roots})


def _component(package: NpmPackage, reference: str, purl: str, index: ArchiveIndex | None) -> dict[str, Any]:
    archive = package.archive
    hashes = {"hashes": [{"alg": "SHA-512", "content": digest_of(archive).hex()}]} if archive is not None else {}
    url = archive.url if archive is not None else None
    return {
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        **({"version": package.version} if package.version else {}),
        **({"scope": "optional"} if package.optional or package.dev_optional else {}),
        **hashes,
        **_licenses(index.license if index is not None else ""),
        "purl": purl,
        **({"externalReferences": [{"type": "distribution", "url": url, **hashes}]} if url is not None else {}),
        # CycloneDX' own names of properties (property taxonomy, "cdx:npm").
        **({"properties": [{"name": "cdx:npm:package:development", "value": "true"}]} if package.dev else {}),
    }


def _purl(package: NpmPackage) -> str:
    """Return the package URL (purl, type ``npm``), with the place of what is in no registry."""
    name = "/".join(quote(part, safe="") for part in package.name.split("/"))
    found = f"pkg:npm/{name}" + (f"@{quote(package.version, safe='.')}" if package.version else "")
    if package.archive is not None and package.archive.checkout is not None:
        checkout = package.archive.checkout
        return f"{found}?vcs_url={quote(f'git+{checkout.repository}@{checkout.commit}', safe='')}"
    if package.archive is None or package.archive.url is None or _is_of_registry(package, package.archive):
        return found
    return f"{found}?download_url={quote(package.archive.url, safe='')}"


def _is_of_registry(package: NpmPackage, archive: NpmArchive) -> bool:
    """Tell whether an archive lies where a registry has it."""
    name = package.name
    return unquote(archive.url or "").endswith(f"/{name}/-/{name.rpartition('/')[2]}-{package.version}.tgz")


def _licenses(said: str) -> dict[str, Any]:
    """Return a licence as a bill has it: an SPDX expression, as npm asks for one, or the name of another."""
    if not said:
        return {}
    try:
        return {"licenses": [{"expression": canonicalize_license_expression(said)}]}
    except InvalidLicenseExpression:
        return {"licenses": [{"license": {"name": said}}]}
