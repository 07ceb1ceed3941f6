"""A bill of materials: CycloneDX 1.6, JSON."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nixgen import __version__


@dataclass(frozen=True, kw_only=True)
class Part:
    """Packages of one kind.

    Attributes:
        components: as the bill has them, each with a ``bom-ref`` of its own.
        dependencies: what each of these asks for, by the references.
        roots: what the project asks for.
        own: the reference of the project, where it is one of the packages; it is no component.
    """

    components: Sequence[Mapping[str, Any]]
    dependencies: Mapping[str, Collection[str]]
    roots: Collection[str]
    own: str | None = None


def cyclonedx(parts: Sequence[Part], *, project: str, version: str | None) -> str:
    """Return the text of the bill. The same environment gives the same bytes, with no time in them.

    Args:
        parts: what is in it.
        project: what to call the project.
        version: its version, where it has one.
    """
    top = next((part.own for part in parts if part.own is not None), f"project:{project}")
    dependencies: dict[str, set[str]] = {top: set()}
    for part in parts:
        dependencies[top].update(part.roots)
        for reference, found in part.dependencies.items():
            dependencies.setdefault(reference, set()).update(found)
    bill: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "nixgen", "version": __version__}]},
            "component": {
                "type": "application",
                "bom-ref": top,
                "name": project,
                **({} if version is None else {"version": version}),
            },
        },
        "components": [component for part in parts for component in part.components],
        "dependencies": [
            {"ref": reference, **({"dependsOn": sorted(found)} if found else {})}
            for reference, found in sorted(dependencies.items())
        ],
    }
    digest = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).digest()
    bill["serialNumber"] = f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"
    return json.dumps(bill, indent=1, ensure_ascii=False) + "\n"
