"""Wheels that no index has: built from their sources by Nix, once, and from then on as good as any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.tags import create_compatible_tags_selector
from packaging.utils import canonicalize_version, parse_wheel_filename

from nixgen.errors import BuildError, InputError
from nixgen.indexes import find_index, keep_indexes
from nixgen.lock import Lock
from nixgen.model import (
    BuildSettings,
    Built,
    LockedPackage,
    PythonArchive,
    Selection,
    Source,
    WheelIndex,
    WheelSource,
)
from nixgen.observer import Observer
from nixgen.sources.backend import Backend
from nixgen.sources.bench import Bench, other_files
from nixgen.sources.fetch import fetch_sources
from nixgen.sources.job import Answer, Job, described
from nixgen.sources.leaves import differences
from nixgen.sources.requirements import Requirements
from nixgen.store import Store
from nixgen.targets import Target, default_system
from nixgen.targets.tags import tags
from nixgen.wheels.text import index_hash, parse_index

if TYPE_CHECKING:
    from nixgen.access import Access

#: How often a backend may ask for more.
_ROUNDS = 4

#: How deep builds may need builds.
_DEPTH = 8


class Workshop:
    """Builds what has no wheel.

    Args:
        base: the directory of the lock.
        previous: the existing lock: what it has is not built again.
        settings: what the user says of builds, by package.
        requirements: resolves what builds need.
        index: gives the indexes of wheels.
        verify: whether what is pinned is built twice, and compared with the existing lock.
        again: names of packages that are not to be as the existing lock has them; None for all.
        access: how servers are reached.
        observer: is told what goes on.
        archives: the Pythons that are fetched, by the keys of their targets.
    """

    def __init__(
        self,
        *,
        base: Path,
        previous: Lock | None,
        settings: Mapping[str, BuildSettings],
        requirements: Requirements,
        index: Callable[[Mapping[str, WheelSource]], Mapping[str, WheelIndex]],
        verify: bool,
        again: Iterable[str] | None,
        access: Access,
        observer: Observer,
        archives: Mapping[str, PythonArchive],
    ) -> None:
        self._base = base
        self._previous = previous
        self._settings = settings
        self._requirements = requirements
        self._verify = verify
        self._bench = Bench(base=base, index=index, verify=verify, access=access, observer=observer, archives=archives)
        self._again = None if again is None else frozenset(again)
        self._access = access
        self._observer = observer
        self._done: dict[tuple[str, str, Source, str], LockedPackage] = {}
        self._locked: dict[str, WheelIndex] = {}
        self._told: set[tuple[str, str, Source]] = set()

    def build(self, selections: Mapping[str, Selection], targets: Sequence[Target]) -> Built:
        """Build what some selections need.

        Raises:
            NixgenError: a source cannot be had, what a build needs neither, or a build fails.
        """
        wanted = [(package, target) for target in targets for package in selections[target.key].packages]
        self._ensure([(package, target) for package, target in wanted if package.wheel.source is not None], ())
        return Built(
            selections={
                target.key: replace(
                    selections[target.key],
                    packages=tuple(self._made(package, target) for package in selections[target.key].packages),
                )
                for target in targets
            },
            indexes=self._bench.indexes,
            builds=self._bench.builds,
            tools=tuple(sorted(self._bench.tools.values(), key=lambda package: (package.name, package.wheel.filename))),
        )

    def _made(self, package: LockedPackage, target: Target) -> LockedPackage:
        """Return a package with the wheel that was built of its source, if it has one."""
        source = package.wheel.source
        if source is None:
            return package
        made = self._done[package.name, package.version, source, target.key]
        return replace(made, when=package.when)

    def _ensure(self, wanted: Sequence[tuple[LockedPackage, Target]], needed_by: tuple[str, ...]) -> None:
        """Build some packages, and before them what their builds need."""
        groups: dict[tuple[str, str, Source], tuple[LockedPackage, list[Target]]] = {}
        for package, target in wanted:
            source = package.wheel.source
            if source is None or (package.name, package.version, source, target.key) in self._done:
                continue
            if package.name in needed_by or len(needed_by) > _DEPTH:
                chain = " needs ".join([*needed_by, package.name])
                raise InputError(
                    f"these builds need each other: {chain}",
                    where=source.place,
                    todo="take a version of one that has a wheel, or give a wheel's path",
                )
            group = groups.setdefault((package.name, package.version, source), (package, []))
            if target not in group[1]:
                group[1].append(target)
        if not groups:
            return
        fetched = fetch_sources(
            [source for _, _, source in groups], base=self._base, store=Store(), access=self._access
        )
        jobs = []
        for (_, _, source), job in self._jobs(groups, fetched).items():
            targets = job.targets
            remaining = [target for target in targets if not self._reuse(job, source, target)]
            if remaining:
                job.targets = remaining
                jobs.append((source, job))
        if jobs:
            self._build_all(jobs, needed_by)

    def _jobs(
        self,
        groups: Mapping[tuple[str, str, Source], tuple[LockedPackage, list[Target]]],
        fetched: Mapping[Source, tuple[Source, Path]],
    ) -> dict[tuple[str, str, Source], Job]:
        """Return what there is to do, by package and source.

        Raises:
            InputError: some sources do not say how they are built; names all of them.
        """
        jobs, errors = {}, []
        for key, (package, targets) in groups.items():
            known, place = fetched[key[2]]
            try:
                jobs[key] = self._job(package, known, place, targets)
            except InputError as error:
                errors.append(error)
        if len(errors) > 1:
            listed = "".join(f"\n    {error.where}: {error.what}" for error in errors)
            raise InputError(f"{len(errors)} packages cannot be built:{listed}", todo=errors[0].todo)
        if errors:
            raise errors[0]
        return jobs

    def _job(self, package: LockedPackage, source: Source, place: Path, targets: list[Target]) -> Job:
        settings = self._settings.get(package.name, BuildSettings())
        backend = Backend.of(place, source.subdirectory, where=f"{package.name}: {source.place}")
        needs = tuple(dict.fromkeys([*backend.needs, *settings.requires]))
        version = package.version or backend.version or ""
        return Job(
            asked=package,
            package=replace(package, version=version),
            source=source,
            targets=targets,
            settings=settings,
            backend=backend,
            needs=needs,
        )

    def _reuse(self, job: Job, source: Source, target: Target) -> bool:
        """Take a package as the existing lock has it, if it is the same there; tell whether it is."""
        if self._previous is None or self._again is None or job.name in self._again:
            return False
        held = next((locked for locked in self._previous.targets if locked.target.key == target.key), None)
        candidates = [*(held.packages if held is not None else ()), *self._previous.tools]
        for package in candidates:
            wheel = self._previous.wheels[package.wheel.filename]
            build = wheel.build
            if build is None or package.name != job.name or package.wheel.source != job.source:
                continue
            same = (build.backend, build.backend_path, build.settings) == (
                job.backend.reference,
                job.backend.path,
                job.settings,
            )
            if not same or not set(job.needs) <= set(build.needs) or target.key not in build.requires:
                continue
            if (job.backend.version or package.version) != package.version:
                continue
            filenames = build.requires[target.key]
            if any(name not in self._previous.wheels for name in filenames):
                continue
            if self._again & {self._previous.wheels[name].name for name in filenames}:
                continue
            # The same commit may have been asked for by another name.
            same_wheel = replace(wheel.source, source=replace(package.wheel.source, revision=job.source.revision))
            if wheel.index is not None:
                index = find_index(wheel, self._base)
                if index is None:
                    continue
                self._bench.indexes[wheel.source.filename] = replace(index, source=same_wheel)
            self._keep_tools(filenames)
            if job.source.directory is not None or self._verify:
                # Its code may have changed, and what its backend asks for with it: Nix tells, with these packages.
                if wheel.index is not None:
                    self._locked[wheel.source.filename] = self._bench.indexes.pop(wheel.source.filename)
                job.needs = build.needs
                job.requires[target.key] = tuple(self._bench.tools[name] for name in filenames)
                return False
            self._done[job.name, job.asked.version, source, target.key] = replace(package, wheel=same_wheel)
            self._bench.add_build(wheel.source.filename, build, target.key)
            return True
        return False

    def _keep_tools(self, filenames: Iterable[str]) -> None:
        """Take packages that builds need as the existing lock has them, and what these were built with."""
        assert self._previous is not None
        for filename in filenames:
            if filename in self._bench.tools:
                continue
            wheel = self._previous.wheels[filename]
            everything = [*self._previous.tools, *(p for t in self._previous.targets for p in t.packages)]
            self._bench.tools[filename] = next(p for p in everything if p.wheel.filename == filename)
            if wheel.build is not None:
                if wheel.index is not None and (index := find_index(wheel, self._base)) is not None:
                    self._bench.indexes[filename] = index
                self._bench.builds[filename] = wheel.build
                for names in wheel.build.requires.values():
                    self._keep_tools(names)

    def _build_all(self, jobs: Sequence[tuple[Source, Job]], needed_by: tuple[str, ...]) -> None:
        pending = {id(job): list(job.targets) for _, job in jobs}
        for _, job in jobs:
            if any(target.key not in job.requires for target in job.targets):
                self._resolve(job, needed_by)
                job.is_new = True
        rounds = dict.fromkeys(pending, 0)
        while any(pending.values()):
            turn = []
            for source, job in jobs:
                if pending[id(job)]:
                    turn.append((source, job, self._buildable(job, pending[id(job)])))
            answers = self._bench.run([(job, target) for _, job, target in turn])
            for (source, job, target), answer in zip(turn, answers, strict=True):
                if answer.needs is not None:
                    rounds[id(job)] += 1
                    if rounds[id(job)] > _ROUNDS:
                        raise BuildError(
                            f"the build of {job.name} asks for more each time: {', '.join(answer.needs)}",
                            where=job.source.place,
                            todo=f"[tool.nixgen.build.{job.name}] requires can name what it needs",
                        )
                    job.needs = tuple(dict.fromkeys([*job.needs, *answer.needs]))
                    self._resolve(job, needed_by)
                    job.is_new = True
                    continue
                for fitting in self._settle(source, job, answer, pending[id(job)], target):
                    pending[id(job)].remove(fitting)

    def _resolve(self, job: Job, needed_by: tuple[str, ...]) -> None:
        """Resolve what a build needs on each target, and build of that what has no wheel."""
        resolved = self._requirements.resolve(job.needs, job.targets, name=job.name)
        by_key = {target.key: target for target in job.targets}
        pairs = [(package, by_key[key]) for key, packages in resolved.items() for package in packages]
        self._ensure(pairs, (*needed_by, job.name))
        job.requires = {
            key: tuple(self._made(package, by_key[key]) for package in packages) for key, packages in resolved.items()
        }
        for packages in job.requires.values():
            for package in packages:
                self._bench.tools[package.wheel.filename] = package

    def _buildable(self, job: Job, targets: Sequence[Target]) -> Target:
        """Return the first of some targets that this machine can build for.

        Raises:
            InputError: there is none.
        """
        here = default_system()
        found = next((target for target in targets if target.system == here), None)
        if found is None:
            others = ", ".join(target.key for target in targets)
            raise InputError(
                f"{job.name} {job.package.version} has to be built for {others}, and this machine is {here}",
                where=job.source.place,
                todo="lock on such a machine, or leave that system out (--system)",
            )
        return found

    def _settle(
        self, source: Source, job: Job, answer: Answer, pending: Sequence[Target], target: Target
    ) -> list[Target]:
        """Keep what was built for a target; return the targets that can have it."""
        name, version, _, wheel_tags = parse_wheel_filename(answer.filename)
        asked = job.package.version
        if name != job.name or (asked and canonicalize_version(version) != canonicalize_version(asked)):
            raise BuildError(
                f"the build of {job.name} {asked} made {answer.filename}",
                where=job.source.place,
                todo="take another version, or correct the project's name and version",
            )
        pinned = job.is_pinned
        filename = answer.filename if pinned else job.stem
        fitting = [other for other in pending if create_compatible_tags_selector(tags(other))([(0, wheel_tags)])]
        if not pinned:
            fitting = list(pending)
        elif target not in fitting:
            raise BuildError(
                f"the build of {job.name} for {target} made {answer.filename}, which does not fit",
                where=job.source.place,
                todo="lock for the machine's own libc (--glibc), or take another version",
            )
        wheel = WheelSource(filename=filename, source=job.source)
        made = replace(job.package, version=asked or str(version), wheel=wheel)
        if pinned:
            index = parse_index(answer.index, wheel, job.name)
            known = self._locked.get(filename)
            if known is not None and index_hash(known) != index_hash(index):
                raise other_files(filename, differences(known, index), "nixgen.lock")
            self._bench.indexes[filename] = keep_indexes([index])[0]
        for other in fitting:
            self._bench.add_build(filename, job.build, other.key)
            self._done[job.name, job.asked.version, source, other.key] = made
        told = (job.name, made.version, job.source)
        if job.is_new and told not in self._told:
            self._told.add(told)
            self._observer.note(f"built {job.name} {made.version} from {described(job.source)}")
        return fitting
