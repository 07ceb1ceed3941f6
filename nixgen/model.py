"""The nouns that the other modules exchange. Values only: no files, no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: One way to be wanted: all of these selectors hold. A selector is ``extra:NAME`` or ``group:NAME``, with a leading
#: ``!`` for "not chosen". The empty clause always holds. Clauses with ``package:NAME`` are those of a member of a
#: workspace: where a member is chosen, its own count and no others, and else none of them.
Clause = tuple[str, ...]

#: When a package belongs to an environment: any of these clauses holds (a disjunctive normal form).
ALWAYS: tuple[Clause, ...] = ((),)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the source of a package is.

    Exactly one of ``url``, ``path``, ``repository`` and ``directory`` is set.

    Attributes:
        url: of an archive (``.tar.gz``, ``.zip``, …), without credentials or fragment.
        path: of an archive on disk: absolute, or relative to the directory of the lock; POSIX separators.
        repository: URL of a Git repository.
        directory: a directory, likewise. Nothing is pinned of it: what it holds is built as it is.
        commit: of a repository, 40 or 64 hexadecimal digits.
        revision: of a repository, the tag or branch that was asked for and is at this commit; "" where none was.
        subdirectory: where the project is inside of all that; "" for its top.
        sha256: SHA-256, 64 lower-case hexadecimal digits: of an archive; of a repository's files in Nix's
            serialisation. None while it is still to be computed.
        size: of an archive, in bytes; None where unknown.
        direct: whether an archive was asked for by its URL or path, and is in no index.
        why: why no wheel is taken, for messages; in no lock.
    """

    url: str | None = None
    path: str | None = None
    repository: str | None = None
    directory: str | None = None
    commit: str | None = None
    revision: str = field(default="", compare=False)
    subdirectory: str = ""
    sha256: str | None = None
    size: int | None = field(default=None, compare=False)
    direct: bool = field(default=False, compare=False)
    why: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """The one that is set of ``url``, ``path``, ``repository`` and ``directory``, for messages."""
        return self.url or self.path or self.repository or self.directory or ""


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What a user says of how a package is built (``[tool.nixgen.build.NAME]``).

    Attributes:
        requires: requirements beside those that the package names itself.
        env: environment variables.
        config_settings: settings of its build backend (PEP 517), each a text or several.
        packages: attributes of nixpkgs, such as ``openssl``, where the environment is built with nixpkgs.
        programs: programs of the machine: names, or absolute paths.
        accept: whether what is built need not be the same each time; then nothing of it is pinned.
    """

    requires: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    config_settings: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    accept: bool = False


@dataclass(frozen=True, kw_only=True)
class Build:
    """How a wheel is made of its source.

    Attributes:
        backend: its build backend, an object reference (PEP 517).
        backend_path: directories of the source where the backend is, ahead of all others.
        needs: what the build asks for (PEP 518, ``get_requires_for_build_wheel``, the user), as it was asked for.
        requires: file names of the wheels that fulfil that, by the keys of the targets, in the order of their names.
        settings: what the user says of it.
    """

    backend: str
    backend_path: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: BuildSettings = BuildSettings()


@dataclass(frozen=True, kw_only=True)
class WheelSource:
    """Where one wheel comes from and what it must be.

    Exactly one of ``url``, ``path`` and ``source`` is set.

    Attributes:
        filename: the wheel's file name, as PEP 427 has it; of one that is built and of which nothing is pinned, and of
            every one that is still to be built, the package's name and version.
        url: an ``http(s)`` URL without credentials, tokens or fragment.
        path: a wheel on disk: absolute, or relative to the directory of the lock; POSIX separators.
        sha256: SHA-256 of the whole wheel, 64 lower-case hexadecimal digits; None where the input names none and it
            is still to be computed.
        size: size of the whole wheel in bytes, None where unknown.
        other: where the input names no SHA-256, a hash of another algorithm: its name, as ``hashlib`` has it, and the
            lower-case hexadecimal digits. It is in no lock.
        source: what it is built of; then nothing is said of the wheel as a whole.
        direct: whether it was asked for by its URL or path, and is in no index.
    """

    filename: str
    url: str | None = None
    path: str | None = None
    source: Source | None = None
    sha256: str | None = None
    size: int | None = None
    other: tuple[str, str] | None = field(default=None, compare=False)
    direct: bool = field(default=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class PythonArchive:
    """A Python that is fetched: an archive of python-build-standalone, with its SHA-256 (64 hexadecimal digits)."""

    url: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LockedPackage:
    """One package of one target: a version, its wheel, and when it is wanted."""

    name: str
    version: str
    wheel: WheelSource
    when: tuple[Clause, ...] = ALWAYS


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What one target needs, as an input reader gives it.

    Attributes:
        packages: sorted by name, then version.
        extras: the extras the packages' ``when`` may name, sorted.
        groups: the dependency groups likewise, sorted.
        default_groups: the groups an environment has when none are asked for, sorted.
        members: the members of a workspace that have environments of their own, sorted.
    """

    packages: tuple[LockedPackage, ...]
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WheelFile:
    """One regular file of a wheel.

    Attributes:
        sha256: SHA-256 of the content: 44 characters of base64 with padding (RECORD's hash in Nix's alphabet).
        size: uncompressed size in bytes. An empty file is created by the tree and is no leaf.
        executable: whether the archive gives it any x bit.
    """

    sha256: str
    size: int
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What a user says of the placement of a package's files, against the rules of the tree builder.

    Attributes:
        copy: patterns (``fnmatch``) of paths in the wheel that are to be copies.
        link: likewise of those that are to be links; stronger than ``copy``, ``solid`` and every rule but that programs
            are copies, since a leaf has no x bit.
        solid: whether every file is to be a copy.
    """

    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    solid: bool = False


@dataclass(frozen=True, kw_only=True)
class WheelIndex:
    """What nixgen knows of a wheel without unpacking it.

    All but the source, ``metadata``, ``whole`` and the warnings is what an index says in the lock format
    (``nixgen/wheels/text.py``).

    Attributes:
        source: where it comes from; ``sha256`` and ``size`` are known by now.
        name: normalized name of the distribution (PEP 503).
        dist_info: name of its ``.dist-info`` directory, at the archive's top.
        data_dir: name of its ``.data`` directory, None where it has none.
        files: every regular file by its path in the archive, sorted; POSIX separators, relative, no ``..``.
        console_scripts: command name to object reference (``package.module:attribute``), sorted.
        gui_scripts: likewise.
        metadata: the content of METADATA, where the wheel was read just now.
        whole: whether every file of the whole wheel was compared, and not only its directory read.
        warnings: oddities that do not stop anything, one line each.
        sha256: of its bytes, where they were seen (``nixgen.wheels.text.index_hash``).
    """

    source: WheelSource
    name: str
    dist_info: str
    data_dir: str | None = None
    files: Mapping[str, WheelFile]
    console_scripts: Mapping[str, str] = field(default_factory=dict)
    gui_scripts: Mapping[str, str] = field(default_factory=dict)
    metadata: bytes = field(default=b"", compare=False, repr=False)
    whole: bool = field(default=False, compare=False)
    warnings: tuple[str, ...] = ()
    sha256: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class LockedWheel:
    """What a lock says of a wheel.

    Attributes:
        source: where it comes from, with ``sha256`` and ``size``.
        name: normalized name of the distribution.
        index: SHA-256 of its index, 64 lower-case hexadecimal digits: that binds every file of it. None where it is
            built and nothing of it is pinned.
        verified: whether who locked it has seen the whole wheel, and every file of it (``nixgen/ties.py``).
        overrides: what the user says of the placement of its files.
        build: how it is made, where it is built.
    """

    source: WheelSource
    name: str
    index: str | None
    verified: bool = False
    overrides: Overrides = Overrides()
    build: Build | None = None


@dataclass(frozen=True, kw_only=True)
class Built:
    """What became of the packages of some selections that have to be built.

    Attributes:
        selections: the same selections, with wheels that are there.
        indexes: the index of each wheel that was built and is pinned, by file name.
        builds: how each of them, and of those of which nothing is pinned, is made.
        tools: the packages that the builds need.
    """

    selections: Mapping[str, Selection]
    indexes: Mapping[str, WheelIndex] = field(default_factory=dict)
    builds: Mapping[str, Build] = field(default_factory=dict)
    tools: tuple[LockedPackage, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What reading wheels cost and saved, in bytes."""

    read: int = 0
    total: int = 0
