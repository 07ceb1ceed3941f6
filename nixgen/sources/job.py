"""One package to build, and what its build has made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from nixgen.model import Build, BuildSettings, LockedPackage, Source
from nixgen.sources.backend import Backend
from nixgen.targets import Target


@dataclass(kw_only=True)
class Job:
    """One package to build, for one target or several.

    Attributes:
        asked: the package as an input has it.
        package: the same, with the version that its source says where the input has none.
        source: its source, with its hash.
        targets: those that have no wheel of it yet.
        settings: what the user says of the build.
        backend: what the source says of it.
        needs: what it needs, as far as it is known.
        requires: the packages that fulfil that, by the targets' keys.
        is_new: whether the existing lock does not have it so.
    """

    asked: LockedPackage
    package: LockedPackage
    source: Source
    targets: list[Target]
    settings: BuildSettings
    backend: Backend
    needs: tuple[str, ...]
    requires: dict[str, tuple[LockedPackage, ...]] = field(default_factory=dict)
    is_new: bool = False

    @property
    def name(self) -> str:
        return self.package.name

    @property
    def is_pinned(self) -> bool:
        """Whether every file that comes out is locked."""
        return self.source.directory is None and not self.settings.accept

    @property
    def build(self) -> Build:
        return Build(
            backend=self.backend.reference,
            backend_path=self.backend.path,
            needs=self.needs,
            requires={
                key: tuple(package.wheel.filename for package in packages) for key, packages in self.requires.items()
            },
            settings=self.settings,
        )

    @property
    def stem(self) -> str:
        """What its wheel is called while nobody knows its tags, and where nothing of it is pinned."""
        return f"{self.name}-{self.package.version}" if self.package.version else self.name


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a build made: a wheel's file name and index, or all that it needs."""

    filename: str = ""
    index: bytes = b""
    needs: tuple[str, ...] | None = None

    @classmethod
    def read(cls, output: Path) -> Answer:
        needs = output / "needs.json"
        if needs.exists():
            return cls(needs=tuple(json.loads(needs.read_bytes())))
        return cls(filename=(output / "filename").read_text(), index=(output / "index.json").read_bytes())


def described(source: Source) -> str:
    """Return what a wheel was built of, and why, for a note."""
    if source.directory is not None:
        return f"the directory {source.directory}"
    if source.repository is not None:
        return f"commit {(source.commit or '')[:12]} of {source.repository}"
    if source.why.startswith("an archive"):
        return f"the archive {source.place.rpartition('/')[2]}"
    if source.why == "asked for":
        return "its source distribution, as asked"
    why = "no wheel that fits" if source.why.startswith("wheels only") else "no wheel"
    return f"its source distribution: {why}"
