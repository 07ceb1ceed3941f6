"""The package.json of a project, edited by npm, with npm's lock; and both as they were where that fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.emit.files import write_text
from nixgen.errors import InputError
from nixgen.npm.locking import find_lock
from nixgen.npm.manifest import read_manifest
from nixgen.npm.package_lock import LOCK_NAMES, parse
from nixgen.npm.running import run_npm

#: The tables of a package.json that npm edits.
_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")

#: The commands of tools with a lock of their own.
_OTHERS = {
    "pnpm-lock.yaml": ("pnpm add", "pnpm remove"),
    "yarn.lock": ("yarn add", "yarn remove"),
    "bun.lock": ("bun add", "bun remove"),
}


@dataclass(frozen=True, kw_only=True)
class NpmEditor:
    """Edits what a project asks for of npm.

    Attributes:
        base: the project's directory.
        member: the workspace that is meant; None for the root.
        dev: whether what is added is for development.
        is_new: whether there is no package.json yet, and the first package makes it.
    """

    base: Path
    member: str | None = None
    dev: bool = False
    is_new: bool = False

    @classmethod
    def of(
        cls, base: Path, *, member: str | None = None, dev: bool = False, adds: Sequence[str] | None = None
    ) -> NpmEditor:
        """Find what to edit.

        Args:
            base: the project's directory.
            member: a workspace.
            dev: whether what is added is for development.
            adds: the packages to add; None to remove.

        Raises:
            InputError: another tool's lock decides, or there is nothing to remove from.
        """
        if find_lock(base) is None:
            for name, commands in _OTHERS.items():
                if (base / name).is_file():
                    command = " ".join([commands[adds is None], *(adds or ["NAME"])])
                    raise InputError(
                        f"{command.partition(' ')[0]} keeps what this project wants, and nixgen does not edit that",
                        where=str(base / name),
                        todo=f"run `{command}`; nixgen locks what a package-lock.json says",
                    )
        is_new = not (base / "package.json").exists()
        if adds is None:
            read_manifest(base / "package.json")
        return cls(base=base, member=member, dev=dev, is_new=is_new)

    @property
    def path(self) -> Path:
        """The project's package.json."""
        return self.base / "package.json"

    @property
    def files(self) -> list[Path]:
        """All that npm may edit: each package.json of the project, and the locks."""
        lock = find_lock(self.base)
        said = parse(lock.read_text(encoding="utf-8"), where=str(lock)).workspaces if lock is not None else ()
        manifests = [self.base / directory / "package.json" for directory in said]
        return [self.path, *manifests, *(self.base / name for name in LOCK_NAMES)]

    def add(self, packages: Sequence[str]) -> list[str]:
        """Add packages, and return what stands in package.json of them.

        Raises:
            InputError: npm does not find one, or a version that all others allow.
            NetworkError: a registry does not answer.
        """
        if self.is_new:
            name = re.sub(r"[^a-z0-9-]+", "-", self.base.absolute().name.lower()).strip("-") or "project"
            write_text(self.path, json.dumps({"name": name, "version": "0.1.0", "private": True}, indent=2) + "\n")
        before = set(self._asked())
        self._run("install", ["--save-dev"] if self.dev else [], packages)
        return sorted(set(self._asked()) - before)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages that the project asks for.

        Raises:
            InputError: it does not ask for one.
        """
        asked = {one.rpartition("@")[0] for one in self._asked()}
        if missing := sorted(set(names) - asked):
            raise InputError(
                f"it does not ask for {', '.join(missing)}",
                where=str(self.path),
                todo="see who does: `nixgen why NAME`",
            )
        self._run("uninstall", [], names)

    def _run(self, verb: str, options: Sequence[str], words: Sequence[str]) -> None:
        member = ["--workspace", self.member] if self.member is not None else []
        run_npm([verb, "--package-lock-only", *options, *member, "--", *words], cwd=self.base)

    def _asked(self) -> Iterator[str]:
        for file in self.files:
            if file.name == "package.json" and file.is_file():
                tables = (read_manifest(file).get(table) for table in _TABLES)
                yield from (
                    f"{name}@{wanted}" for table in tables if isinstance(table, dict) for name, wanted in table.items()
                )
