"""What a builder of nixgen's makes, made once more: what a damaged tree is compared with, and restored from."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.errors import NixError
from nixgen.processes import run
from nixgen.temporary import temporary_directory
from nixgen.verification.findings import Kind
from nixgen.verification.nar import nar

#: The name of the store path that holds the builders (nix/run.nix).
_BUILDERS = "-nixgen-builders"

#: A builder that is a program by itself (nix/run.nix, ``buildersOf``).
_ALONE = re.compile(r"(.+-nixgen-builders)/([a-z_]+)\.py")

#: What a finding calls what each builder makes.
_MADE_BY = {
    "tree": "tree",
    "env": "environment",
    "mounted": "image",
    "program": "program",
    "npm_package": "package",
    "npm_scripts": "package",
    "npm_pack": "archive",
    "npm_environment": "environment",
    "npm_mounted": "image",
}

#: Stands in for a leaf that is damaged.
_STAND_IN = b"# nixgen verify: this file is damaged in the store\n"

#: Of a derivation whose builder is the machine's own Python, and that may have become another one.
MAKES_ANOTHER = "its builder makes something else today than what Nix recorded: is the machine's Python another one?"

#: What a tree says of all of its files.
_OF_ALL = re.compile(r"nix-support/nixgen\.json|.*\.dist-info/RECORD")


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """A derivation of nixgen's.

    Attributes:
        path: of the ``.drv``.
        output: the store path that it makes.
        program: what is run.
        arguments: its arguments.
        variables: its environment.
        inputs: the derivations that it needs.
    """

    path: str
    output: str
    program: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    inputs: tuple[str, ...]

    @classmethod
    def read(cls, path: str) -> Derivation | None:
        """Read a derivation; None for one that is not there, and one that is not nixgen's.

        A ``.drv`` is an ATerm (Nix manual, "Derivation"), whose lists, tuples and strings are those of Python.
        """
        try:
            text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
            outputs, inputs, _, _, program, arguments, variables = ast.literal_eval(text.removeprefix("Derive"))
        except (OSError, ValueError, SyntaxError):
            return None
        if len(outputs) != 1 or _builder(arguments) is None:
            return None
        return cls(
            path=path,
            output=outputs[0][1],
            program=program,
            arguments=tuple(arguments),
            variables=dict(variables),
            inputs=tuple(name for name, *_ in inputs),
        )

    @property
    def what(self) -> str:
        """What a finding calls what it makes."""
        return _MADE_BY.get((_builder(self.arguments) or ("", ""))[1], "path")

    @property
    def sources(self) -> list[str]:
        """Store paths that a build of it runs and reads, beside leaves and trees."""
        stored = self.variables.get("attributesPath")
        builders = [found[0] for found in [_builder(self.arguments)] if found is not None]
        return [*builders, *([stored] if stored else [])]

    @property
    def compiled(self) -> list[str]:
        """The derivations of its builders, where these are compiled (nix/run.nix, ``compiledOf``)."""
        return [path for path in self.inputs if path.endswith(f"{_BUILDERS}.drv")]

    @property
    def attributes(self) -> str:
        """What its builder is told, as JSON."""
        stored = self.variables.get("attributesPath")
        return Path(stored).read_text(encoding="utf-8") if stored else self.variables["attributes"]

    def make(self, out: Path, instead: Mapping[str, str] | None = None) -> None:
        """Run the builder, with the modes that Nix gives, into a directory outside of what Nix knows.

        Args:
            out: to make; what the builders write does not depend on where it lies.
            instead: store paths to others, which the builder is told of.

        Raises:
            NixError: it cannot be run, or fails.
        """
        attributes = self.attributes
        for path, other in (instead or {}).items():
            attributes = attributes.replace(path, other)
        with temporary_directory() as scratch:
            told = scratch / "attributes"
            told.write_text(attributes, encoding="utf-8")
            variables = {
                name: value for name, value in self.variables.items() if name not in ("attributes", "passAsFile")
            }
            variables |= {
                "out": str(out),
                "attributesPath": str(told),
                "TMPDIR": str(scratch),
                "HOME": "/homeless-shelter",
            }
            try:
                done = run(
                    [Path(self.program).name, *self.arguments], executable=self.program, env=variables, cwd=scratch
                )
                problem = done.stderr.strip().rpartition("\n")[2] if done.returncode else None
            except OSError as error:
                problem = str(error)
        if problem is not None:
            raise NixError(f"its builder fails: {problem}", where=self.output)
        make_like_nix(out)


def _builder(arguments: Sequence[str]) -> tuple[str, str] | None:
    """Return the store path of the builders that a derivation runs, and the name of that one; None for others."""
    if arguments and (alone := _ALONE.fullmatch(arguments[-1])):
        return alone[1], alone[2]
    if len(arguments) > 1 and (builders := arguments[-2].removesuffix("/__main__.py")).endswith(_BUILDERS):
        return builders, arguments[-1]
    return None


def derivations_of(environment: str) -> dict[str, Derivation]:
    """Return the derivations of nixgen's that an environment's is made of, itself among them, by output.

    What is needed stands before what needs it.

    Args:
        environment: path of its ``.drv``.
    """
    found: dict[str, Derivation] = {}
    seen: set[str] = set()

    def visit(path: str) -> None:
        if path in seen:
            return
        seen.add(path)
        derivation = Derivation.read(path)
        if derivation is not None:
            for needed in derivation.inputs:
                visit(needed)
            found[derivation.output] = derivation

    visit(environment)
    return found


def make_like_nix(path: Path) -> None:
    """Give a file or directory the modes and times that Nix gives what it takes into its store."""
    for directory, inner, names in os.walk(path, topdown=False):
        for name in [*inner, *names]:
            _settle(os.path.join(directory, name))  # noqa: PTH118
    _settle(str(path))


def _settle(path: str) -> None:
    mode = os.lstat(path).st_mode
    if not stat.S_ISLNK(mode):
        executable = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
        os.chmod(path, 0o555 if executable else 0o444)  # noqa: PTH101
    os.utime(path, (1, 1), follow_symlinks=False)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One entry that differs from what the builder makes.

    Attributes:
        file: its path below the store path.
        kind: how it differs.
        detail: in words.
        good, bad: what the builder makes, and what is there.
    """

    file: str
    kind: Kind
    detail: str
    good: Path
    bad: Path


def differences(made: Path, there: Path) -> Iterator[Difference]:
    """Yield where a directory differs from what its builder makes; of a directory too many or too few, the directory.

    Args:
        made: what the builder made.
        there: what is to be looked at.
    """

    def compare(file: str) -> Iterator[Difference]:
        good, bad = made / file, there / file
        detail = _difference(good, bad)
        if detail is not None:
            yield Difference(file=file, kind=Kind.ALTERED, detail=detail, good=good, bad=bad)
        elif stat.S_ISDIR(good.lstat().st_mode):
            wanted, found = (set(os.listdir(path)) for path in (good, bad))  # noqa: PTH208
            for name in sorted(wanted | found):
                inner = f"{file}/{name}" if file else name
                if name in wanted and name in found:
                    yield from compare(inner)
                else:
                    kind = Kind.MISSING if name in wanted else Kind.EXTRA
                    yield Difference(file=inner, kind=kind, detail="", good=made / inner, bad=there / inner)

    yield from compare("")


def _difference(good: Path, bad: Path) -> str | None:
    """Return in words how two entries differ, None for those that are the same, and for two directories."""
    wanted, found = good.lstat(), bad.lstat()
    if stat.S_IFMT(wanted.st_mode) != stat.S_IFMT(found.st_mode):
        return f"it is {_type(found.st_mode)} instead of {_type(wanted.st_mode)}"
    if stat.S_ISLNK(wanted.st_mode):
        target, other = os.readlink(good), os.readlink(bad)  # noqa: PTH115
        return None if target == other else f"it leads to {other} instead of {target}"
    if not stat.S_ISREG(wanted.st_mode):
        return None
    if wanted.st_size != found.st_size:
        return f"{found.st_size:,} bytes instead of {wanted.st_size:,}"
    if good.read_bytes() != bad.read_bytes():
        return "its content is another"
    if (wanted.st_mode ^ found.st_mode) & stat.S_IXUSR:
        return "it is executable" if found.st_mode & stat.S_IXUSR else "it is not executable"
    return None


def _type(mode: int) -> str:
    names = {stat.S_IFLNK: "a link", stat.S_IFREG: "a file", stat.S_IFDIR: "a directory"}
    return names.get(stat.S_IFMT(mode), "something else")


def explain(derivation: Derivation, nar_hash: str, damaged: Collection[str]) -> list[Difference]:
    """Return which files of a store path are not what the builder makes.

    Damaged leaves have stand-ins: of what is made of those nothing is said.

    Args:
        derivation: makes it.
        nar_hash: what Nix recorded of it.
        damaged: leaves that must not be read.

    Raises:
        NixError: the builder cannot tell, as it fails, or makes something else than what Nix recorded.
        OSError: something cannot be read.
    """
    attributes = derivation.attributes
    with temporary_directory() as scratch:
        instead = {}
        for number, leaf in enumerate(sorted(path for path in damaged if path in attributes)):
            stand_in = Path(scratch, f"{number}{Path(leaf).suffix}")
            stand_in.write_bytes(_STAND_IN)
            instead[leaf] = str(stand_in)
        made = Path(scratch, "out")
        try:
            derivation.make(made, instead)
            if not instead and nar(str(made)).sha256 != nar_hash:
                raise NixError(MAKES_ANOTHER, where=derivation.output)
            unknown = (
                _unknown(made, {other: path for path, other in instead.items()}) if instead else re.compile("(?!)")
            )
            return [
                difference
                for difference in differences(made, Path(derivation.output))
                if not unknown.fullmatch(difference.file)
            ]
        finally:
            if made.exists():
                make_removable(made)


def _unknown(made: Path, stand_ins: Mapping[str, str]) -> re.Pattern[str]:
    """Make links to stand-ins links to their leaves, and return the paths of what is made of stand-ins."""
    found = [_OF_ALL.pattern]
    digest = hashlib.sha256(_STAND_IN).digest()
    make_removable(made)
    for directory, _, names in os.walk(made):
        for name in names:
            path = Path(directory, name)
            if path.is_symlink():
                leaf = stand_ins.get(str(path.readlink()))
                if leaf is None:
                    continue
                path.unlink()
                path.symlink_to(leaf)
            elif hashlib.sha256(path.read_bytes()).digest() == digest:
                found.append(re.escape(str(path.relative_to(made))))
            else:
                continue
            cached = path.parent.relative_to(made) / "__pycache__" / path.stem
            found.append(re.escape(str(cached)) + r"\.[^/]+\.pyc")
    return re.compile("|".join(found))


def make_removable(path: Path) -> None:
    """Give back the right to write that a store path's directories have not."""
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o755)  # noqa: PTH101


def remove(path: Path) -> None:
    """Remove what a store path was, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        make_removable(path)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
