"""Compare the wheels that nixgen chooses with those that pip and uv do, for other Pythons and systems than this one.

The list is resolved once per Python. Empty wheels with the names of the real ones stand for them when pip and uv are
asked, so that nothing is downloaded. uv cannot be asked for a free-threaded Python that is not on the machine.
The exit code is 1 where there is a difference.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.pylock import Pylock
from packaging.tags import create_compatible_tags_selector

from corpus.entries import ListError, choose, read
from corpus.peers import Index
from nixgen.inputs import ResolverOptions, uv
from nixgen.inputs.sources import Found, pick
from nixgen.targets import Target
from nixgen.targets.tags import tags

LIST = Path(__file__).parent / "packages.toml"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t")

#: The Python that is compared on other platforms than the first, where nothing is said.
ELSEWHERE = "3.12"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform, as each program is told of it, spelled without nixgen.

    Attributes:
        system: the Nix system.
        libc: further arguments of ``Target.parse``.
        pip: platform tags.
        uv: uv's name.
    """

    system: str
    libc: Mapping[str, str]
    pip: Sequence[str]
    uv: str


def _manylinux(machine: str, oldest: int) -> list[str]:
    return [*(f"manylinux_2_{minor}_{machine}" for minor in range(35, oldest - 1, -1)), f"manylinux2014_{machine}"]


def _musllinux(machine: str) -> list[str]:
    return [f"musllinux_1_{minor}_{machine}" for minor in (2, 1, 0)]


PLATFORMS = {
    "x86_64-linux": Platform(
        system="x86_64-linux", libc={}, pip=_manylinux("x86_64", 5), uv="x86_64-manylinux_2_35"
    ),
    "aarch64-linux": Platform(
        system="aarch64-linux", libc={}, pip=_manylinux("aarch64", 17), uv="aarch64-manylinux_2_35"
    ),
    "x86_64-linux-musl": Platform(
        system="x86_64-linux", libc={"musl": "1.2"}, pip=_musllinux("x86_64"), uv="x86_64-unknown-linux-musl"
    ),
    "aarch64-linux-musl": Platform(
        system="aarch64-linux", libc={"musl": "1.2"}, pip=_musllinux("aarch64"), uv="aarch64-unknown-linux-musl"
    ),
    "x86_64-darwin": Platform(
        system="x86_64-darwin", libc={}, pip=["macosx_14_0_x86_64"], uv="x86_64-apple-darwin"
    ),
    "aarch64-darwin": Platform(
        system="aarch64-darwin", libc={}, pip=["macosx_14_0_arm64"], uv="aarch64-apple-darwin"
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is chosen for one Python and platform: a wheel's name by package, None where there is none that fits.

    Attributes:
        several: the packages that have more than one wheel.
        nixgen, pip, uv: the choices; uv's is None where it was not asked.
    """

    python: str
    platform: str
    several: frozenset[str]
    nixgen: Mapping[str, str | None]
    pip: Mapping[str, str | None]
    uv: Mapping[str, str | None] | None

    @property
    def differences(self) -> list[str]:
        """A line for each package for which not all choose the same."""
        peers = {"pip": self.pip, **({} if self.uv is None else {"uv": self.uv})}
        return [
            f"{package}: nixgen {wheel}, " + ", ".join(f"{name} {choice[package]}" for name, choice in peers.items())
            for package, wheel in self.nixgen.items()
            if any(choice[package] != wheel for choice in peers.values())
        ]


def compare(requirements: Sequence[str], pairs: Sequence[tuple[str, str]], index: Index) -> Iterator[Compared]:
    """Yield what is chosen for each pair of a Python and a platform.

    Packages that the target does not need or that have no wheel at all are left out.
    """
    locks: dict[str, Pylock] = {}
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        (base / "all.in").write_text("".join(f"{line}\n" for line in requirements))
        for version in dict.fromkeys(python.rstrip("t") for python, _ in pairs):
            locks[version] = uv.compile_requirements(
                [str(base / "all.in")], python=f"{version}.0", cwd=base, where="the list", options=ResolverOptions()
            ).lock
        for python, name in pairs:
            platform = PLATFORMS[name]
            target = Target.parse(python, platform.system, **platform.libc)
            fitting = create_compatible_tags_selector(tags(target))
            environment = {key: str(value) for key, value in target.environment().items()}
            packages = [
                package
                for package in locks[python.rstrip("t")].packages
                if package.wheels and (package.marker is None or package.marker.evaluate(environment))
            ]
            ours: dict[str, str | None] = {}
            for package in packages:
                found = pick(package, fitting, directory=base, base=base, where="the list")
                ours[package.name] = found.wheel.filename if isinstance(found, Found) else None
            index.fill({package.name: [wheel.filename for wheel in package.wheels or ()] for package in packages})
            yield Compared(
                python=python,
                platform=name,
                several=frozenset(package.name for package in packages if len(package.wheels or ()) > 1),
                nixgen=ours,
                pip=index.pip(python, platform.pip),
                uv=None if target.free_threaded else index.uv(python, platform.uv),
            )


_INTRODUCTION = """\
# Choice of wheels

Made by `python -m corpus.choices --write docs/wheel-choice.md`; not edited by hand. The packages of
[corpus/packages.toml](../corpus/packages.toml) with all that they need are locked for each Python. Of the wheels
of each package, pip (`pip install --dry-run --platform … --abi …`) and uv (`uv pip install --python-platform …`) choose
for the platform, and so does nixgen. Linux is glibc 2.35 or musl 1.2, macOS is 14.0. uv cannot be asked for a
free-threaded Python that is not on the machine. Where two wheels fit equally well, as two of maturin's do on macOS, no
specification says which to take: there pip and uv differ, and nixgen is with uv.
"""


def page(results: Sequence[Compared], versions: Mapping[str, str], listed: int) -> str:
    """Return the page: a row for each Python and platform, and every difference."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    lines = [
        _INTRODUCTION,
        f"* {today}, pip {versions['pip']}, uv {versions['uv']}; {listed} packages in the list",
        "",
        "| Python | platform | packages | with several wheels | a wheel that fits | none, say all | differences |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(one) for one in results]
    differences = [f"* {one.python}, {one.platform}: {line}" for one in results for line in one.differences]
    lines += ["", *(["## Differences", "", *differences] if differences else ["No package differs."]), ""]
    return "\n".join(lines)


def _row(one: Compared) -> str:
    chosen = sum(wheel is not None for wheel in one.nixgen.values())
    asked = "" if one.uv is not None else " (pip only)"
    cells = [one.python, one.platform + asked, len(one.nixgen), len(one.several), chosen]
    none = sum(
        wheel is None and one.pip[name] is None and (one.uv is None or one.uv[name] is None)
        for name, wheel in one.nixgen.items()
    )
    return "| " + " | ".join(map(str, [*cells, none, len(one.differences)])) + " |"


def main() -> int:
    """Print a row for each Python and platform as it is done, then the page; return 1 where there is a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus.choices", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="NAME", help="a package of the list; all by default")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="by default all, on the first platform")
    parser.add_argument(
        "--platform", action="append", choices=PLATFORMS, help=f"by default all, the others with Python {ELSEWHERE}"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there too (docs/wheel-choice.md)")
    options = parser.parse_args()
    if options.python or options.platform:
        pairs = [(one, other) for one in options.python or PYTHONS for other in options.platform or PLATFORMS]
    else:
        first, *others = PLATFORMS
        pairs = [*((python, first) for python in PYTHONS), *((ELSEWHERE, platform) for platform in others)]
    listed = read(LIST)
    try:
        entries = choose(listed, options.packages, nasty=False) if options.packages else listed
    except ListError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory() as scratch:
        index = Index(Path(scratch))
        results = []
        for one in compare([line for entry in entries for line in entry.requirements], pairs, index):
            results.append(one)
            print(_row(one), file=sys.stderr, flush=True)
    text = page(results, index.versions, len(entries))
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(one.differences for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
