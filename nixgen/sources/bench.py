"""Running builds: by Nix, side by side, of a lock that holds what is built and what that needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.emit.nix import nix_path, nix_string
from nixgen.environments.archive import explain as of_archive
from nixgen.errors import NixError, VerificationError
from nixgen.ingest import ingest
from nixgen.library import library_directory
from nixgen.lock import Lock, TargetLock
from nixgen.model import (
    ALWAYS,
    Build,
    LockedPackage,
    LockedWheel,
    PythonArchive,
    Source,
    WheelIndex,
    WheelSource,
)
from nixgen.names import LOCK_NAME
from nixgen.observer import Observer
from nixgen.pythons import find_python
from nixgen.sources.failures import explained, places_of
from nixgen.sources.job import Answer, Job
from nixgen.sources.leaves import add_leaves, differences
from nixgen.store import Store
from nixgen.targets import Target
from nixgen.temporary import temporary_directory
from nixgen.ties import is_tied
from nixgen.wheels.text import index_hash, parse_index

if TYPE_CHECKING:
    from nixgen.access import Access

#: How many files that are different are named.
_NAMED = 20

#: What Nix says where a build gave something else than before (2.8 to 2.34).
_NOT_ALIKE = re.compile(r"may not be deterministic: output '([^']+)' differs from '([^']+)'")


class Bench:
    """Where builds run.

    Args:
        base: the directory of the lock.
        index: gives the indexes of wheels.
        verify: whether what is pinned is built twice, and compared.
        access: how servers are reached.
        observer: is told what goes on.
        archives: the Pythons that are fetched, by the keys of their targets.

    Attributes:
        tools: the packages that builds need, by the names of their wheels.
        indexes: those of the wheels that were built, by their names.
        builds: how these are built.
    """

    def __init__(
        self,
        *,
        base: Path,
        index: Callable[[Mapping[str, WheelSource]], Mapping[str, WheelIndex]],
        verify: bool,
        access: Access,
        observer: Observer,
        archives: Mapping[str, PythonArchive],
    ) -> None:
        self.tools: dict[str, LockedPackage] = {}
        self.indexes: dict[str, WheelIndex] = {}
        self.builds: dict[str, Build] = {}
        self._base = base
        self._index = index
        self._verify = verify
        self._access = access
        self._observer = observer
        self._archives = archives
        self._tool_indexes: dict[str, WheelIndex] = {}

    def add_build(self, filename: str, build: Build, key: str) -> None:
        """Keep how a wheel is built for one more target."""
        known = self.builds.get(filename)
        requires = {**({} if known is None else known.requires), key: build.requires[key]}
        self.builds[filename] = replace(build, requires=requires)

    def run(self, work: Sequence[tuple[Job, Target]]) -> list[Answer]:
        """Build, side by side, each for one target; return what each gave.

        Raises:
            BuildError: a build fails.
            VerificationError: one does not repeat itself.
            NixgenError: what builds need cannot be had.
        """
        self._index_tools()
        store = Store()
        tools = {name: index for name, index in self._tool_indexes.items() if name in self.tools}
        built = {name: index for name, index in self.indexes.items() if name in self.tools}
        wheels = {**tools, **built}
        untied = {name for name, index in tools.items() if not is_tied(_locked(index))}
        with store.connect() as daemon, temporary_directory() as created:
            with self._observer.counting("fetching what builds need") as progress:
                ingest(
                    tools.values(),
                    store,
                    base=self._base,
                    untied=untied,
                    hold=daemon,
                    access=lambda: self._access,
                    progress=progress,
                )
            directory = created.resolve()
            parts = []
            for number, (job, target) in enumerate(work):
                place = directory / str(number)
                place.mkdir()
                (place / LOCK_NAME).write_text(self._partial(job, target, wheels).to_text(), encoding="utf-8")
                python = None if target.key in self._archives else find_python(target.python)
                parts.append(_expression(place / LOCK_NAME, job, target, python))
            expression = f"let nixgen = import {nix_path(library_directory())}; in [ {' '.join(parts)} ]"
            names = ", ".join(dict.fromkeys(job.name for job, _ in work))
            try:
                with self._observer.waiting(f"building {names}") as watch:
                    outputs = store.build(expression, ["--keep-going"], directory / "result", watch).split()
            except NixError as error:
                archives = [self._archives[target.key] for _, target in work if target.key in self._archives]
                found = archives and of_archive(error, archives[0], sandbox=store.setting("sandbox") is not False)
                raise found or explained(error, self._places(work)) from error
            answers = [Answer.read(Path(output)) for output in outputs]
            if self._verify:
                self._repeat(store, parts, work, answers)
            for (job, _), answer, output in zip(work, answers, outputs, strict=True):
                if answer.needs is None and job.is_pinned:
                    # Others may be built with it, and the next build of the project finds them.
                    index = parse_index(answer.index, WheelSource(filename=answer.filename), job.name)
                    add_leaves(index, Path(output), store, daemon)
            return answers

    def _repeat(
        self, store: Store, parts: Sequence[str], work: Sequence[tuple[Job, Target]], answers: Sequence[Answer]
    ) -> None:
        """Build again what was built and is pinned, and compare (``nix-build --check``).

        Raises:
            VerificationError: a build does not repeat itself; names the files.
        """
        pinned = [
            part
            for part, (job, _), answer in zip(parts, work, answers, strict=True)
            if job.is_pinned and answer.needs is None
        ]
        if not pinned:
            return
        expression = f"let nixgen = import {nix_path(library_directory())}; in [ {' '.join(pinned)} ]"
        try:
            with self._observer.waiting("building again") as watch:
                store.build(expression, ["--check", "--keep-failed"], None, watch)
        except NixError as error:
            match = _NOT_ALIKE.search(error.what)
            if match is None:
                raise explained(error, self._places(work)) from error
            first, second = (
                parse_index((Path(path) / "index.json").read_bytes(), WheelSource(filename=path), "")
                for path in match.groups()
            )
            raise other_files(Path(match[1]).name[33:], differences(first, second, "first"), match[2]) from error

    def _places(self, work: Sequence[tuple[Job, Target]]) -> dict[str, str]:
        return places_of([*(job.asked for job, _ in work), *self.tools.values()], self._base)

    def _index_tools(self) -> None:
        """Read the indexes of the wheels that builds need, as far as they are not known."""
        sources = {
            filename: tool.wheel
            for filename, tool in self.tools.items()
            if tool.wheel.source is None and filename not in self._tool_indexes
        }
        if sources:
            indexes = self._index(sources)
            self._tool_indexes |= indexes
            for filename, index in indexes.items():
                self.tools[filename] = replace(self.tools[filename], wheel=index.source)

    def _partial(self, job: Job, target: Target, wheels: Mapping[str, WheelIndex]) -> Lock:
        """Return a lock that holds one package that is to be built, and what builds need; its paths are absolute."""
        wheel = WheelSource(filename=job.stem, source=self._absolute(job.source))
        package = replace(job.package, wheel=wheel, when=ALWAYS)
        locked = {package.wheel.filename: LockedWheel(source=package.wheel, name=job.name, index=None, build=job.build)}
        tools = []
        for filename, tool in self.tools.items():
            wheel = self._absolute_wheel(tool.wheel)
            index = wheels.get(filename)
            tools.append(replace(tool, wheel=wheel))
            locked[filename] = LockedWheel(
                source=wheel,
                name=tool.name,
                index=None if index is None else index_hash(index),
                build=self.builds.get(filename),
            )
        locked_target = TargetLock(target=target, packages=(package,), archive=self._archives.get(target.key))
        return Lock(targets=(locked_target,), wheels=locked, tools=tuple(tools))

    def _absolute(self, source: Source) -> Source:
        base = self._base.absolute()
        return replace(
            source,
            path=None if source.path is None else str(base / source.path),
            directory=None if source.directory is None else str(base / source.directory),
        )

    def _absolute_wheel(self, wheel: WheelSource) -> WheelSource:
        return replace(
            wheel,
            path=None if wheel.path is None else str(self._base.absolute() / wheel.path),
            source=None if wheel.source is None else self._absolute(wheel.source),
        )


def other_files(name: str, lines: Iterable[str], where: str) -> VerificationError:
    """Return the error of a build that does not repeat itself.

    Args:
        name: of the wheel.
        lines: how its files differ.
        where: what it was compared with.
    """
    found = list(lines)
    shown = "".join(f"\n    {line}" for line in found[:_NAMED])
    more = f"\n    and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return VerificationError(
        f"{name}: its build does not repeat itself:{shown}{more}",
        where=where,
        todo=(
            "set what makes the difference under [tool.nixgen.build.NAME], as a variable or a setting; or write "
            "accept = true there: then each machine has what it has built"
        ),
    )


def _expression(lock: Path, job: Job, target: Target, python: Path | None) -> str:
    arguments = (
        f"lock = nixgen.readLock {nix_path(lock)}; system = {nix_string(target.system)}; "
        f'version = {nix_string(target.python)}; ingest = "store";'
    )
    if python is not None:
        arguments += f" python = {nix_string(str(python))};"
    return f"(nixgen.env {{ {arguments} }}).nixgen.built.{nix_string(job.stem)}"


def _locked(index: WheelIndex) -> LockedWheel:
    return LockedWheel(source=index.source, name=index.name, index=index_hash(index))
