"""Which wheel pip takes of each version for a target, kept once it is known.

uv says which files an index has of a version, and pip chooses among empty wheels with their names: nothing is
downloaded.
"""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from conformance.targets import Target
from conformance.tools import TOOLS, Workshop
from corpus.peers import Index

#: How long uv may take to name the files of some versions, in seconds.
_LIMIT = 600

Pin = tuple[str, str]


class Choices:
    """What pip takes, by target and version.

    Args:
        kept: where it is kept.
        scratch: a new directory for the empty wheels.
        workshop: runs uv.
    """

    def __init__(self, kept: Path, scratch: Path, workshop: Workshop) -> None:
        self._directory = kept
        self._scratch = scratch
        self._workshop = workshop
        self._turn = threading.Lock()
        self._index: Index | None = None
        kept.mkdir(parents=True, exist_ok=True)

    def of(self, pins: Iterable[Pin], targets: Sequence[Target]) -> dict[str, dict[Pin, str | None]]:
        """Return the file of each name and version by target, None where no wheel of it fits, or there is no version.

        Args:
            pins: what is asked of each of the targets.
            targets: of one Python.

        Raises:
            RuntimeError: uv or pip fails.
        """
        wanted = sorted(set(pins))
        with self._turn:
            found = {target.key: self._read(target) for target in targets}
            unknown = [pin for pin in wanted if pin[1] and any(pin not in known for known in found.values())]
            while unknown:
                # One version of a name at a time.
                layer = {name: (name, version) for name, version in reversed(unknown)}
                self._choose(list(layer.values()), targets, found)
                unknown = [pin for pin in unknown if pin not in layer.values()]
        return {key: {pin: known.get(pin) for pin in wanted} for key, known in found.items()}

    def _choose(
        self, pins: Sequence[Pin], targets: Sequence[Target], found: Mapping[str, dict[Pin, str | None]]
    ) -> None:
        if self._index is None:
            self._index = Index(self._scratch)
        self._index.fill(self._names(pins, targets[0].python))
        for target in targets:
            chosen = self._index.pip(target.minor, target.platform.pip)
            found[target.key].update({(name, version): chosen[name] for name, version in pins})
            self._write(target, found[target.key])

    def _names(self, pins: Sequence[Pin], python: str) -> dict[str, list[str]]:
        """Return the names of the wheels that the index has of some versions for a Python."""
        asked, answer = self._scratch / "pins.txt", self._scratch / "pylock.toml"
        asked.write_text("".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8")
        answer.unlink(missing_ok=True)
        done = self._workshop.run(
            TOOLS["uv"],
            *("pip", "compile", "-q", asked, "--universal", "--no-deps", "--prerelease", "allow", "--no-header"),
            *("--python-version", python, "--format", "pylock.toml", "--output-file", answer),
            directory=self._scratch,
            seconds=_LIMIT,
        )
        if done.code != 0:
            raise RuntimeError(f"uv does not name the files: {done.err}")
        packages = tomllib.loads(answer.read_text(encoding="utf-8"))["packages"]
        wheels = {package["name"]: package.get("wheels", []) for package in packages}
        return {
            name: [unquote(urlsplit(wheel["url"]).path).rpartition("/")[2] for wheel in wheels[name]]
            for name, _ in pins
        }

    def _path(self, target: Target) -> Path:
        return self._directory / f"{target.key}.json"

    def _read(self, target: Target) -> dict[Pin, str | None]:
        try:
            data: Mapping[str, str | None] = json.loads(self._path(target).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        split = ((pin.partition("=="), file) for pin, file in data.items())
        return {(name, version): file for (name, _, version), file in split}

    def _write(self, target: Target, known: Mapping[Pin, str | None]) -> None:
        data = {f"{name}=={version}": file for (name, version), file in sorted(known.items())}
        partial = self._path(target).with_suffix(".partial")
        partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        partial.replace(self._path(target))
