"""Add requirements to what a project says, and remove them, with its comments and its order kept.

``pyproject.toml`` is edited by uv (``uv add --frozen``), requirements files line by line. What other tools keep, their
own ``add`` has to edit.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixgen.emit.files import write_bytes, write_text
from nixgen.errors import InputError, UsageError
from nixgen.inputs import running
from nixgen.inputs.discover import NothingWantedError, find_input, read_text, read_toml
from nixgen.inputs.options import INDEX_VARIABLES, ResolverOptions
from nixgen.inputs.workspace import members_of
from nixgen.mistakes import of_a_program

#: What edits the inputs that are another tool's: to add, and to remove.
_OTHERS = {
    "poetry.lock": ("poetry add", "poetry remove"),
    "pdm.lock": ("pdm add", "pdm remove"),
    "Pipfile.lock": ("pipenv install", "pipenv uninstall"),
}

#: A requirement in a line of a requirements file, and the comment after it.
_LINE = re.compile(r"^(?P<requirement>[^#\s-][^#]*?)(?P<rest>\s*(?:\s#.*)?)$")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Which of a project's requirements are meant.

    Attributes:
        group: a dependency group; None for none.
        extra: an extra; None for none.
    """

    group: str | None = None
    extra: str | None = None

    def arguments(self) -> list[str]:
        """Return it as uv's arguments."""
        return [
            *(["--group", self.group] if self.group is not None else []),
            *(["--optional", self.extra] if self.extra is not None else []),
        ]


@dataclass(frozen=True, kw_only=True)
class Editor:
    """What says which packages a project wants, open for a change.

    Attributes:
        path: the file that is edited.
        member: the member of the uv workspace that it is of; None for the root.
        table: which requirements are meant.
        is_new: whether there is none yet, and the first requirement makes it.
    """

    path: Path
    member: str | None = None
    table: Table = Table()
    is_new: bool = False

    @classmethod
    def of(cls, base: Path, table: Table, *, member: str | None = None, adds: Sequence[str] | None = None) -> Editor:
        """Find what to edit.

        Args:
            base: the project's directory.
            table: which requirements are meant.
            member: a member of the workspace.
            adds: the requirements to add, for which a project is made where there is none; None to remove.

        Raises:
            InputError: there is nothing, or it is another tool's.
            UsageError: a requirements file has neither groups nor extras.
        """
        project = base / "pyproject.toml"
        try:
            path = find_input(base)
        except NothingWantedError:
            if adds is None or project.exists():
                raise
            return cls(path=project, table=table, is_new=True)
        _refuse_others(path, adds)
        if path.suffix in (".in", ".txt"):
            if table != Table():
                raise UsageError(
                    "a requirements file has no groups and no extras",
                    where=str(path),
                    todo="leave out --dev, --group and --optional, or move to a pyproject.toml",
                )
            return cls(path=path)
        if member is not None:
            found = members_of(path).get(member)
            if found is None:
                raise InputError(f"the workspace has no member named {member}", where=str(path), todo="name another")
            return cls(path=found, member=member, table=table)
        return cls(path=path, table=table)

    def create(self, python: str) -> None:
        """Make the project, without a requirement, as ``uv init --bare`` does.

        Args:
            python: the version that it is for, and all later ones.
        """
        name = re.sub(r"[^a-z0-9]+", "-", self.path.absolute().parent.name.lower()).strip("-") or "project"
        minor = ".".join(python.rstrip("t").split(".")[:2])
        said = f'name = "{name}"\nversion = "0.1.0"\nrequires-python = ">={minor}"\ndependencies = []\n'
        write_text(self.path, f"[project]\n{said}")

    def add(self, requirements: Sequence[str]) -> None:
        """Add requirements; what asks for one of these packages already is replaced.

        Raises:
            InputError: one cannot be read, or the file cannot be edited.
            MachineError: the system does not let it be written.
        """
        if self.path.name == "pyproject.toml":
            self._run("add", requirements)
            return
        lines = self._lines()
        for text in map(str.strip, requirements):
            name = _parsed(text, str(self.path)).name
            places = [number for number, line in enumerate(lines) if _name(line) == canonicalize_name(name)]
            if not places:
                lines.append(text)
            for number in places[:1]:
                match = _LINE.match(lines[number])
                lines[number] = text + (match["rest"] if match else "")
        self._write(lines)

    def remove(self, names: Sequence[str]) -> None:
        """Remove what asks for some packages.

        Raises:
            InputError: nothing does, or the file cannot be edited.
            MachineError: the system does not let it be written.
        """
        if self.path.name == "pyproject.toml":
            self._run("remove", names)
            return
        lines = self._lines()
        wanted = set(map(canonicalize_name, names))
        if missing := sorted(wanted - set(map(_name, lines))):
            raise InputError(
                f"it does not ask for {', '.join(missing)}",
                where=str(self.path),
                todo="see who does: `nixgen why NAME`",
            )
        self._write([line for line in lines if _name(line) not in wanted])

    def bound(self, requirements: Sequence[str], versions: Mapping[str, str]) -> list[str]:
        """Give requirements that say nothing of versions the locked ones as their lowest, as uv does; return these.

        Args:
            requirements: that were added.
            versions: the locked versions by name.
        """
        bounded = list(_bounded(requirements, versions)) if self.path.name == "pyproject.toml" else []
        if bounded:
            self._run("add", bounded)
        return bounded

    def _run(self, verb: str, words: Sequence[str]) -> None:
        member = ["--package", self.member] if self.member is not None else []
        root = self.path.parent
        arguments = [verb, "--frozen", *self.table.arguments(), *member, "--", *words]
        try:
            # uv would write the indexes that they name into the project, logins too.
            running.run(arguments, cwd=root, without=INDEX_VARIABLES)
        except running.UvFailure as failure:
            if (refused := of_a_program(str(failure), str(self.path))) is not None:
                raise refused from failure
            said = re.sub(r"^error: ", "", str(failure))
            raise InputError(
                f"uv cannot {verb} {', '.join(words)}: {said}",
                where=str(self.path),
                todo="correct the name or the requirement"
                if verb == "add"
                else "see who asks for it: `nixgen why NAME`",
            ) from failure

    def _lines(self) -> list[str]:
        text = read_text(self.path)
        if "--hash=" in text:
            raise InputError(
                "it has hashes, which only the tool that made it can renew",
                where=str(self.path),
                todo="change what it was made from, and make it again (`uv pip compile --generate-hashes`)",
            )
        return text.splitlines()

    def _write(self, lines: Iterable[str]) -> None:
        mode = self.path.stat().st_mode
        write_text(self.path.resolve(), "".join(f"{line}\n" for line in lines))
        self.path.chmod(mode)


def _refuse_others(path: Path, adds: Sequence[str] | None) -> None:
    """See that an input is none that another tool edits.

    Raises:
        InputError: it is; says with which command.
    """
    name = path.name
    if name == "pyproject.toml":
        data = read_toml(path)
        if "project" in data or "poetry" not in data.get("tool", {}):
            return
        name = "poetry.lock"
    if name in _OTHERS:
        command = " ".join([_OTHERS[name][adds is None], *(adds or ["NAME"])])
        raise InputError(
            f"{command.partition(' ')[0]} keeps what this project wants, and nixgen does not edit that",
            where=str(path),
            todo=f"run `{command}`, then `nixgen sync`",
        )
    if name.startswith("pylock."):
        raise InputError(
            "this lock decides, and says not what it was made from",
            where=str(path),
            todo="change what it was made from, make it again with its tool, then run `nixgen sync`",
        )


def lock_with_uv(base: Path, options: ResolverOptions) -> None:
    """Renew the ``uv.lock`` of a project that has one, with newer versions where the options say so.

    Raises:
        InputError: uv finds no solution.
        NetworkError: an index does not answer.
    """
    if not (base / "uv.lock").is_file():
        return
    upgrades = ["--upgrade"] if options.upgrade else []
    upgrades += [word for name in options.upgrade_packages for word in ("--upgrade-package", name)]
    try:
        running.run(["lock", *options.shared_arguments(), *upgrades], cwd=base, variables=options.environment())
    except running.UvFailure as failure:
        raise running.explain(failure, str(base / "pyproject.toml")) from failure


@contextlib.contextmanager
def restored(paths: Iterable[Path], *, always: bool = False) -> Iterator[None]:
    """Have some files be what they were where what is done meanwhile fails or is interrupted.

    Args:
        paths: the files; those that are not there are none again.
        always: whether they are to be that where all goes well too.
    """
    before = {path.resolve(): path.read_bytes() if path.is_file() else None for path in paths}
    done = False
    try:
        yield
        done = True
    finally:
        if always or not done:
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                elif not path.is_file() or path.read_bytes() != content:
                    mode = path.stat().st_mode if path.is_file() else None
                    write_bytes(path, content)
                    if mode is not None:
                        path.chmod(mode)


def _bounded(requirements: Iterable[str], versions: Mapping[str, str]) -> Iterator[str]:
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # a path or a URL, of which uv makes a source
        version = versions.get(canonicalize_name(requirement.name))
        if requirement.url is None and not requirement.specifier and version is not None:
            extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
            marker = f" ; {requirement.marker}" if requirement.marker else ""
            yield f"{requirement.name}{extras}>={version.partition('+')[0]}{marker}"


def _name(line: str) -> str | None:
    """Return the package that a line of a requirements file asks for; None where it asks for none by name."""
    match = _LINE.match(line)
    if match is None:
        return None
    try:
        return canonicalize_name(Requirement(match["requirement"]).name)
    except InvalidRequirement:
        return None


def _parsed(text: str, where: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise InputError(
            f"{text!r} is no requirement: {str(error).splitlines()[0]}",
            where=where,
            todo="write one such as 'flask>=3'",
        ) from error
