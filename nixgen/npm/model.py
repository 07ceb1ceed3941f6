"""The nouns of the npm side. Values only: no files, no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The files of a Git commit that an archive is packed of (``nix/builders/npm_pack.py``).

    Attributes:
        repository: its URL, without credentials but for the user of SSH.
        commit: 40 or 64 hexadecimal digits.
        files: paths in it; of one that ends in "/", all files below; none stands for all that there are. None while
            nobody has asked npm.
    """

    repository: str
    commit: str
    files: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"git+{self.repository}#{self.commit}"


@dataclass(frozen=True, kw_only=True)
class NpmArchive:
    """Where the archive of a package comes from and what it must be.

    Exactly one of ``url``, ``path`` and ``checkout`` is set.

    Attributes:
        url: an ``http(s)`` URL without credentials, tokens or fragment.
        path: an archive on disk, relative to the directory of the lock; POSIX separators.
        checkout: what it is packed of.
        integrity: ``sha512-`` and base64 with padding (Subresource Integrity, section 3.1), which Nix takes as it is.
        size: in bytes; None where nobody has looked at it: an optional one that runs on some systems only.
    """

    url: str | None = None
    path: str | None = None
    checkout: Checkout | None = None
    integrity: str
    size: int | None = None

    @property
    def place(self) -> str:
        """The one that is set, for messages and lists."""
        return self.url or self.path or (str(self.checkout) if self.checkout is not None else "")


@dataclass(frozen=True, kw_only=True)
class NpmPackage:
    """What stands at one place of the tree that npm would lay out.

    A place has either an archive or, where npm makes a link to a directory of the project, ``link``.

    Attributes:
        at: the place, relative to the directory of the lock (``node_modules/a/node_modules/b``); what it is called
            there is the last part, with the scope.
        name: the package's own name, which differs from that where it is an alias.
        version: as the lock has it; "" for a link to a directory that has none.
        archive: what is unpacked there.
        link: the directory that it is a link to, relative to that of the lock; it may begin with ``../``.
        dependencies: the place of each package that Node.js is to find from there, by where it is to lie below the
            ``node_modules`` of the package: by its name alone; or inside of the package, where another one is called so
            (``a/node_modules/a``).
        undeclared: the keys of those that its sources import and its package.json does not name, sorted.
        bin: paths in the package by the names of its commands.
        os, cpu, libc: where it runs, as npm has it: ``linux``, ``!win32``; empty for everywhere.
        dev, optional, dev_optional, peer: why it is there, as npm's ``--omit`` asks for it; ``dev_optional`` goes where
            both others go.
        scripts: its install scripts by their names (``preinstall``, ``install``, ``postinstall``), in npm's order.
        drops: the places that go too where it does not fit a system, sorted: npm's optional set without itself.
        serves: the places that it is there for where each of them goes on some system, sorted: it goes where all of
            them go, as npm has it. Empty where it is there for something else, too, or goes with one of them alone.
        cycle: the smallest place of those that need each other with it; None where there are no others.
    """

    at: str
    name: str
    version: str
    archive: NpmArchive | None = None
    link: str | None = None
    dependencies: Mapping[str, str] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    bin: Mapping[str, str] = field(default_factory=dict)
    os: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    libc: tuple[str, ...] = ()
    dev: bool = False
    optional: bool = False
    dev_optional: bool = False
    peer: bool = False
    scripts: Mapping[str, str] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    cycle: str | None = None


@dataclass(frozen=True, kw_only=True)
class NpmLock:
    """The section ``npm`` of a lock.

    Attributes:
        name: the project's own name; "" where it has none.
        packages: sorted by place.
        workspaces: directories of the project's workspaces, relative to that of the lock, sorted.
        scripts: names of the packages whose install scripts run in a build, sorted.
    """

    name: str = ""
    packages: tuple[NpmPackage, ...]
    workspaces: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
