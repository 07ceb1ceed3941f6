"""Compare the wheels that nixgen chooses with those that pip does, for other Pythons and systems than this one.

Every package is resolved once per Python. Empty wheels with the names of the real ones stand for them when pip is
asked, so that nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.inputs import ResolverOptions, uv
from nixgen.inputs.sources import Found, pick
from nixgen.targets import Target
from tests.support.wheels import make_wheel, write_wheel

PACKAGES = (
    *("numpy", "cryptography", "pydantic-core", "pyyaml", "markupsafe", "lxml", "psutil", "orjson", "pillow", "scipy"),
    *("grpcio", "tornado", "regex", "cffi", "aiohttp", "multidict", "greenlet", "zstandard", "protobuf", "polars"),
    *("duckdb", "pyarrow", "ruff", "uv", "cmake", "ninja", "pyside6-essentials", "pyqt6", "opencv-python-headless"),
    *("shapely", "pyproj", "h5py", "onnxruntime", "xgboost", "lightgbm", "tokenizers", "safetensors", "watchfiles"),
    *(
        "uvloop",
        "httptools",
        "rpds-py",
        "bcrypt",
        "pynacl",
        "psycopg-binary",
        "debugpy",
        "coverage",
        "msgpack",
        "pyzmq",
    ),
)
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t")

#: Name of a platform to its Nix system and what pip is told, spelled without nixgen.
PLATFORMS = {
    "x86_64-linux": (
        "x86_64-linux",
        {},
        [*(f"manylinux_2_{n}_x86_64" for n in range(35, 4, -1)), "manylinux2014_x86_64"],
    ),
    "aarch64-linux": (
        "aarch64-linux",
        {},
        [*(f"manylinux_2_{n}_aarch64" for n in range(35, 16, -1)), "manylinux2014_aarch64"],
    ),
    "x86_64-linux-musl": ("x86_64-linux", {"musl": "1.2"}, [f"musllinux_1_{n}_x86_64" for n in (2, 1, 0)]),
    "aarch64-linux-musl": ("aarch64-linux", {"musl": "1.2"}, [f"musllinux_1_{n}_aarch64" for n in (2, 1, 0)]),
    "x86_64-darwin": ("x86_64-darwin", {}, ["macosx_14_0_x86_64"]),
    "aarch64-darwin": ("aarch64-darwin", {}, ["macosx_14_0_arm64"]),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A package for which the two choose differently; None stands for no wheel."""

    package: str
    python: str
    platform: str
    ours: str | None
    theirs: str | None


def compare(
    packages: Sequence[str], pythons: Sequence[str], platforms: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, str | None], list[Difference]]]:
    """Yield Python, platform, our choice of each package and the differences.

    Packages that have no wheel at all for a Python are left out for it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        (base / "all.in").write_text("".join(f"{name}\n" for name in packages))
        for python in pythons:
            full = Target.parse(python, "x86_64-linux").full_version
            resolution = uv.compile_requirements(
                [str(base / "all.in")], python=full, cwd=base, where="the list", options=ResolverOptions()
            )
            index = base / python
            for package in resolution.lock.packages:
                _, content = make_wheel(package.name, str(package.version), {})
                names = [write_wheel(index / package.name, (w.filename, content)).name for w in package.wheels or ()]
                (index / package.name).mkdir(parents=True, exist_ok=True)
                page = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
                (index / package.name / "index.html").write_text(f"<!DOCTYPE html><html><body>{page}</body></html>")
            for platform in platforms:
                system, libc, told = PLATFORMS[platform]
                target = Target.parse(python, system, **libc)
                ours: dict[str, str | None] = {}
                pins = {}
                for package in resolution.lock.packages:
                    if package.wheels:
                        found = pick(package, target.tags(), directory=base, base=base, where="the list")
                        ours[package.name] = found.wheel.filename if isinstance(found, Found) else None
                        pins[package.name] = f"{package.name}=={package.version}"
                theirs: dict[str, str | None] = dict.fromkeys(ours)
                together = [pins[name] for name, wheel in ours.items() if wheel is not None]
                alone = [[pins[name]] for name, wheel in ours.items() if wheel is None]
                for group in [together, *alone]:
                    theirs |= _pip(group, python, told, index)
                differences = [
                    Difference(package=name, python=python, platform=platform, ours=wheel, theirs=theirs[name])
                    for name, wheel in ours.items()
                    if wheel != theirs[name]
                ]
                yield python, platform, ours, differences


def _pip(pins: Sequence[str], python: str, platforms: Sequence[str], index: Path) -> dict[str, str]:
    """Return the wheels that pip takes, by package; one by one where it cannot have all."""
    if not pins:
        return {}
    version = python.rstrip("t")
    abi = "cp" + python.replace(".", "")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"),
            *("--report", "-", "--only-binary", ":all:", "--target", str(index / "nowhere")),
            *("--index-url", index.as_uri(), "--disable-pip-version-check"),
            *("--implementation", "cp", "--python-version", version, "--abi", abi),
            *(f"--platform={platform}" for platform in platforms),
            *pins,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "PIP_CONFIG_FILE": os.devnull},
    )
    if done.returncode == 0:
        items = json.loads(done.stdout)["install"]
        return {item["metadata"]["name"]: item["download_info"]["url"].rpartition("/")[2] for item in items}
    if len(pins) == 1:
        if "No matching distribution" not in done.stderr:
            raise RuntimeError(done.stderr)
        return {}
    return {name: wheel for pin in pins for name, wheel in _pip([pin], python, platforms, index).items()}


def main() -> int:
    """Print a line for each Python and platform, and each difference; return 1 where there is one."""
    parser = argparse.ArgumentParser(prog="python -m corpus.choices", description=__doc__)
    parser.add_argument("packages", nargs="*", metavar="NAME", default=PACKAGES)
    parser.add_argument("--python", action="append", choices=PYTHONS)
    parser.add_argument("--platform", action="append", choices=PLATFORMS)
    options = parser.parse_args()
    found = 0
    print("| Python | platform | packages | without a wheel | differences |\n|---|---|---|---|---|")
    for python, platform, ours, differences in compare(
        options.packages, options.python or PYTHONS, options.platform or list(PLATFORMS)
    ):
        lacking = [name for name, wheel in ours.items() if wheel is None]
        shown = "; ".join(f"{d.package}: {d.ours}, pip {d.theirs}" for d in differences)
        print(f"| {python} | {platform} | {len(ours)} | {' '.join(lacking)} | {shown} |", flush=True)
        found += len(differences)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
