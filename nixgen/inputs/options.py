"""How uv is told to resolve: its own options under their own names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from nixgen.credentials import NamedIndex, may_hold_secret


@dataclass(frozen=True, kw_only=True)
class _IndexOption:
    """An option of uv whose values are URLs or paths: its variable, and what separates several of them there."""

    name: str
    variable: str
    separator: str = " "

    @property
    def field(self) -> str:
        return self.name.removeprefix("--").replace("-", "_")

    def escaped(self, value: str) -> str:
        """Return a URL or an absolute path as one that does not hold the separator."""
        if self.separator not in value:
            return value
        if "://" not in value:
            name, equals, path = value.rpartition("=")
            value = f"{name}{equals}{Path(path).as_uri()}"
        return value.replace(self.separator, quote(self.separator))


_INDEX_OPTIONS = (
    _IndexOption(name="--index", variable="UV_INDEX"),
    _IndexOption(name="--default-index", variable="UV_DEFAULT_INDEX"),
    _IndexOption(name="--index-url", variable="UV_INDEX_URL"),
    _IndexOption(name="--extra-index-url", variable="UV_EXTRA_INDEX_URL"),
    _IndexOption(name="--find-links", variable="UV_FIND_LINKS", separator=","),
)


#: The variables that name indexes to uv.
INDEX_VARIABLES = frozenset(option.variable for option in _INDEX_OPTIONS)


@dataclass(frozen=True, kw_only=True)
class ResolverOptions:
    """Options of the command line that uv understands.

    Relative paths are those of the caller's working directory.

    Attributes:
        index: further indexes, each ``URL`` or ``NAME=URL``.
        default_index: the index that is asked last, likewise.
        index_url: its older name.
        extra_index_url: the older name of ``index``.
        find_links: directories or pages with wheels.
        no_index: take nothing from indexes.
        index_strategy: how several indexes are searched.
        keyring_provider: ``disabled`` or ``subprocess``.
        constraints: requirements files that restrict versions.
        overrides: requirements files that replace what packages ask for.
        prerelease: when pre-releases are taken.
        resolution: ``highest``, ``lowest`` or ``lowest-direct``.
        exclude_newer: take nothing uploaded after this date.
        upgrade: forget every earlier version.
        upgrade_packages: forget the earlier versions of these.
        offline: use uv's cache only.
        no_build: refuse what has no wheel, so that no code of a package runs.
        no_project: leave the project itself out.
        from_source: names of packages that are built from their source though there is a wheel.
        built: names of packages that the existing lock has built, and the same inputs still want: uv may build at once.
        extra: any other arguments for ``uv pip compile``, as they are.
    """

    index: tuple[str, ...] = field(default=(), repr=False)
    default_index: str | None = field(default=None, repr=False)
    index_url: str | None = field(default=None, repr=False)
    extra_index_url: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    index_strategy: str | None = None
    keyring_provider: str | None = None
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    prerelease: str | None = None
    resolution: str | None = None
    exclude_newer: str | None = None
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    offline: bool = False
    no_build: bool = False
    no_project: bool = False
    from_source: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    extra: tuple[str, ...] = field(default=(), repr=False)

    def indexes(self) -> list[NamedIndex]:
        """Return every index that is named, for their logins."""
        texts = [*self.index, self.default_index, self.index_url, *self.extra_index_url, *self.find_links]
        return [NamedIndex.parse(text) for text in texts if text]

    def shared_arguments(self) -> list[str]:
        """Return what ``uv pip compile`` and ``uv export`` both take: indexes, which versions to prefer.

        Everybody on the machine can read a process's arguments: an option with a URL that may hold a secret is not
        among them, but in ``environment``.
        """
        return [
            *(
                word
                for option in _INDEX_OPTIONS
                if not any(map(may_hold_secret, values := self._values(option)))
                for word in _each(option.name, values, path=True)
            ),
            *(["--no-index"] if self.no_index else []),
            *_each("--index-strategy", self.index_strategy),
            *_each("--keyring-provider", self.keyring_provider),
            *_each("--prerelease", self.prerelease),
            *_each("--resolution", self.resolution),
            *_each("--exclude-newer", self.exclude_newer),
            *(["--offline"] if self.offline else []),
        ]

    def environment(self) -> dict[str, str]:
        """Return the variables that say the rest to uv: they come before what the user's own ones say."""
        return {
            option.variable: option.separator.join(option.escaped(_absolute(value)) for value in values)
            for option in _INDEX_OPTIONS
            if any(map(may_hold_secret, values := self._values(option)))
        }

    def _values(self, option: _IndexOption) -> tuple[str, ...]:
        given = getattr(self, option.field)
        return (given,) if isinstance(given, str) else given or ()

    def compile_arguments(self) -> list[str]:
        """Return what ``uv pip compile`` takes."""
        return [
            *self.shared_arguments(),
            *_each("--constraints", self.constraints, path=True),
            *_each("--overrides", self.overrides, path=True),
            *(["--upgrade"] if self.upgrade else []),
            *_each("--upgrade-package", self.upgrade_packages),
            *_each("--no-binary", self.from_source),
            *self.extra,
        ]


def _each(option: str, values: str | tuple[str, ...] | None, *, path: bool = False) -> Iterator[str]:
    for value in (values,) if isinstance(values, str) else values or ():
        yield option
        yield _absolute(value) if path else value


def _absolute(value: str) -> str:
    """Return a path as an absolute one, since uv runs in the input's directory; leave a URL alone."""
    if "://" in value or value.startswith("file:"):
        return value
    name, equals, path = value.rpartition("=")
    return f"{name}{equals}{Path(path).absolute()}"
