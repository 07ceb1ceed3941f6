"""What a build needs, resolved: the packages that are installed where a wheel is made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nixgen.errors import InputError, NixgenError
from nixgen.inputs import uv
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.parts import by_system
from nixgen.inputs.pylock import choose, refuse, without_wheel
from nixgen.model import LockedPackage
from nixgen.targets import Target
from nixgen.temporary import temporary_directory


class Requirements:
    """Resolves what builds need; what several need is resolved once.

    Args:
        base: the directory of the lock.
        options: how uv resolves what the project needs; for builds, its indexes count and no more.
        constraints: requirements that restrict what any build gets.
    """

    def __init__(self, *, base: Path, options: ResolverOptions, constraints: Sequence[str] = ()) -> None:
        self._base = base
        self._options = replace(
            options,
            constraints=(),
            overrides=(),
            prerelease=None,
            resolution=None,
            upgrade=False,
            upgrade_packages=(),
            built=(),
        )
        self._constraints = constraints
        self._known: dict[tuple[str, ...], dict[str, tuple[LockedPackage, ...]]] = {}

    def resolve(
        self, needs: Sequence[str], targets: Sequence[Target], *, name: str
    ) -> Mapping[str, tuple[LockedPackage, ...]]:
        """Return the packages that fulfil some requirements, by the targets' keys, sorted by name.

        Args:
            needs: the requirements.
            targets: what to resolve for.
            name: of the package that is built, for errors.

        Raises:
            InputError: they cannot be fulfilled.
            NetworkError: an index does not answer.
        """
        where = f"what the build of {name} needs: {', '.join(needs) or 'nothing'}"
        known = self._known.setdefault(tuple(sorted(needs)), {})
        lacking = [target for target in targets if target.key not in known]
        if not needs:
            return {target.key: () for target in targets}
        if lacking:
            with temporary_directory() as created:
                directory = created.resolve()
                asked, constraints = directory / "requirements.in", directory / "constraints.txt"
                asked.write_text("".join(f"{need}\n" for need in needs), encoding="utf-8")
                constraints.write_text("".join(f"{line}\n" for line in self._constraints), encoding="utf-8")
                options = replace(self._options, constraints=(os.fspath(constraints),) if self._constraints else ())

                def resolve(python: str, system: Target | None) -> uv.Resolution:
                    return uv.compile_requirements(
                        [os.fspath(asked)], python=python, cwd=self._base, where=where, options=options, system=system
                    )

                try:
                    resolutions = by_system(lacking, resolve, [])
                except NixgenError as error:
                    if isinstance(error, InputError):
                        error.todo = f"[tool.nixgen.build.{name}] requires can add to them; or take another version"
                    raise
            for target in lacking:
                resolution = resolutions[target.key]
                choice = choose(
                    resolution.lock,
                    target,
                    where=where,
                    directory=resolution.directory,
                    base=self._base,
                    from_source=options.from_source,
                )
                unusable = [*resolution.unusable, *choice.unusable]
                if options.no_build:
                    unusable += without_wheel(choice)
                refuse(((target, item) for item in unusable), where=where)
                known[target.key] = choice.selection.packages
        return {target.key: known[target.key] for target in targets}
