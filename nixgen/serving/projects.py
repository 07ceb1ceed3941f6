"""What the index says of a project: its files, as pages for installers have them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    is_normalized_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from nixgen.wheelhouse.wanted import Wanted

JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html")

#: Where files are, from a project's page.
_FILES = "../../files"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A file of a project.

    Attributes:
        details: what PEP 691 says of a file, but for its URL.
        wanted: the file itself; None where its SHA-256 is not known: it is not for us to give then.
        url: where it is, in that case.
    """

    details: Mapping[str, Any]
    wanted: Wanted | None = field(repr=False)
    url: str = ""

    @property
    def filename(self) -> str:
        """What the file is called."""
        return str(self.details["filename"])

    @property
    def metadata(self) -> str | None:
        """SHA-256 of its METADATA, where that can be had by itself (PEP 658)."""
        said = self.details.get("core-metadata")
        return said.get("sha256") if isinstance(said, dict) else None

    def to_json(self) -> dict[str, Any]:
        """Return it as PEP 691 has it."""
        wanted = self.wanted
        url = self.url if wanted is None else f"{_FILES}/{wanted.sha256}/{wanted.filename}"
        return {**self.details, "url": url}

    def to_html(self) -> str:
        """Return it as PEP 503 has it."""
        data = self.to_json()
        fragment = next((f"#{name}={digest}" for name, digest in data["hashes"].items()), "")
        attributes = {"href": data["url"] + fragment}
        if data.get("requires-python"):
            attributes["data-requires-python"] = data["requires-python"]
        if self.metadata:
            # PEP 714: pip of before it reads the second name.
            attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = f"sha256={self.metadata}"
        if data.get("yanked"):
            attributes["data-yanked"] = data["yanked"] if isinstance(data["yanked"], str) else ""
        listed = " ".join(f'{name}="{html.escape(str(value))}"' for name, value in attributes.items())
        return f"<a {listed}>{html.escape(self.filename)}</a><br>"


def project_page(name: str, offers: Sequence[Offer], *, as_json: bool) -> bytes:
    """Return the page of a project.

    Args:
        name: normalized.
        offers: its files.
        as_json: as PEP 691 has it, else as PEP 503.
    """
    if not as_json:
        return _page(f"Links for {name}", (offer.to_html() for offer in offers))
    sized = all("size" in offer.details for offer in offers)
    versions = sorted({version for offer in offers if (version := version_of(offer.filename))})
    data = {
        "meta": {"api-version": "1.1" if sized else "1.0"},  # PEP 700 asks for the size of every file
        "name": name,
        "versions": versions,
        "files": [offer.to_json() for offer in offers],
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def list_page(names: Iterable[str], *, as_json: bool) -> bytes:
    """Return the page that lists projects, as ``project_page`` does."""
    if as_json:
        data = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]}
        return json.dumps(data, separators=(",", ":")).encode("ascii")
    return _page("Simple index", (f'<a href="{name}/">{name}</a><br>' for name in names))


def wants_json(accept: str) -> bool:
    """Tell whether a client takes JSON rather than HTML, by its Accept field (RFC 9110, section 12.5.1)."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            weights[kind] = 0.0
    json_weight = max(weights.get(JSON, 0.0), weights.get("application/vnd.pypi.simple.latest+json", 0.0))
    return json_weight > 0 and json_weight >= max(weights.get(kind, 0.0) for kind in _HTML)


def project_of(filename: str) -> str | None:
    """Return the normalized name of the project that a file is of; None where its name tells none."""
    parsed = _parsed(filename)
    # What stands in a name comes from clients, too, and is asked for at an index beyond.
    return parsed[0] if parsed is not None and is_normalized_name(parsed[0]) else None


def version_of(filename: str) -> str | None:
    """Return the version that a file's name tells, None where it tells none."""
    parsed = _parsed(filename)
    return None if parsed is None else parsed[1]


def _parsed(filename: str) -> tuple[str, str] | None:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        try:
            name, version = parse_sdist_filename(filename)
        except InvalidSdistFilename:
            return None
    return canonicalize_name(name), str(version)


def _page(title: str, lines: Iterable[str]) -> bytes:
    head = f'<meta name="pypi:repository-version" content="1.0"><title>{html.escape(title)}</title>'
    body = "\n".join(lines)
    return f"<!DOCTYPE html>\n<html><head>{head}</head><body>\n{body}\n</body></html>\n".encode()
