"""The sets of wheels that are measured: fetched or made once, then served on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uv

from benchmarks import synthetic
from benchmarks.npm_sets import NPM_SETS, NpmSet
from benchmarks.server import LoopbackIndex


@dataclass(frozen=True, kw_only=True)
class WheelSet:
    """A closed set of wheels, or two releases of one distribution.

    Attributes:
        name: what the command line calls it.
        roots: the requirements that a person would write, without versions.
        pins: every wheel, as ``name==version``: figures of two days compare.
        imports: for each root a module that a finished environment must be able to import.
        large: whether measures that take minutes on it, and add little, run in its first rounds alone.
        make: fills a directory with the wheels; None where they come from the package index.
    """

    name: str
    roots: tuple[str, ...]
    pins: tuple[str, ...]
    imports: tuple[str, ...] = ()
    large: bool = False
    make: Callable[[Path], None] | None = None

    def without(self, count: int) -> tuple[str, ...]:
        """Return the pins without those of the last ``count`` roots."""
        left_out = self.roots[len(self.roots) - count :]
        return tuple(pin for pin in self.pins if pin.partition("==")[0] not in left_out)

    def fetch(self, cache: Path) -> Path:
        """Return the directory of the set's wheels, filled where they are not there yet.

        Args:
            cache: holds one directory per set.
        """
        directory = cache / self.name
        marker = directory / "pins.txt"
        wanted = "".join(f"{pin}\n" for pin in self.pins)
        if marker.is_file() and marker.read_text() == wanted:
            return directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        if self.make is not None:
            self.make(directory)
        else:
            pip = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary", ":all:", "--no-deps"]
            # Two releases of one distribution cannot be asked for at once.
            batches = [list(self.pins)] if self.roots else [[pin] for pin in self.pins]
            for pins in batches:
                subprocess.run([*pip, "--dest", str(directory), *pins], check=True)
        marker.write_text(wanted)
        return directory

    def serve(self, directory: Path) -> LoopbackIndex:
        """Return a server of the wheels, as an index."""
        return LoopbackIndex(directory)

    def described(self, directory: Path) -> str:
        """Return what a page says of the set's size."""
        wheels = list(directory.glob("*.whl"))
        return f"{len(wheels)} wheels, {sum(wheel.stat().st_size for wheel in wheels) / 1e6:.1f} MB"

    @property
    def programs(self) -> list[tuple[str, tuple[str, ...]]]:
        """The commands of the peers that say their versions, each after what to write before that."""
        return [("", (uv.find_uv_bin(), "--version"))]


#: A web service: 12 wheels, about 300 files.
SMALL = WheelSet(
    name="small",
    roots=("flask", "requests"),
    pins=(
        "blinker==1.9.0",
        "certifi==2026.10.18",
        "charset-normalizer==3.5.2",
        "click==8.5.1",
        "flask==3.1.3",
        "idna==3.20",
        "itsdangerous==2.2.0",
        "jinja2==3.1.6",
        "markupsafe==3.0.4",
        "requests==2.34.2",
        "urllib3==2.8.0",
        "werkzeug==3.1.9",
    ),
    imports=("flask", "requests"),
)

#: Web and numerics: 30 wheels, about 7,500 files.
DATA = WheelSet(
    name="data",
    roots=("flask", "requests", "numpy", "pandas", "scipy", "matplotlib", "scikit-learn"),
    pins=(
        "blinker==1.9.0",
        "certifi==2026.10.18",
        "charset-normalizer==3.5.2",
        "click==8.5.1",
        "cloudpickle==3.1.2",
        "contourpy==1.3.3",
        "cycler==0.12.1",
        "flask==3.1.3",
        "fonttools==4.68.0",
        "idna==3.20",
        "itsdangerous==2.2.0",
        "jinja2==3.1.6",
        "joblib==1.6.0",
        "kiwisolver==1.5.1",
        "markupsafe==3.0.4",
        "matplotlib==3.11.2",
        "narwhals==2.28.0",
        "numpy==2.4.6",
        "packaging==26.3",
        "pandas==3.1.1",
        "pillow==13.0.0",
        "pyparsing==3.3.3",
        "python-dateutil==4.0.0",
        "requests==2.34.2",
        "scikit-learn==1.9.1",
        "scipy==1.17.1",
        "threadpoolctl==3.8.0",
        "tzdata==2026.6",
        "urllib3==2.8.0",
        "werkzeug==3.1.9",
    ),
    imports=("flask", "requests", "numpy", "pandas", "scipy.linalg", "matplotlib", "sklearn"),
)

#: Machine learning: 32 wheels, about 16,400 files, 1.4 GB.
TF = WheelSet(
    name="tf",
    # The last two are there to be left out: nothing imports them.
    roots=("tensorflow-cpu", "libclang", "wheel"),
    pins=(
        "absl-py==2.5.1",
        "astunparse==1.6.3",
        "certifi==2026.10.18",
        "charset-normalizer==3.5.2",
        "flatbuffers==25.12.19",
        "gast==0.7.0",
        "google-pasta==0.2.0",
        "grpcio==1.85.1",
        "h5py==3.14.0",
        "idna==3.20",
        "keras==3.15.1",
        "libclang==18.1.1",
        "markdown-it-py==4.3.0",
        "mdurl==0.1.2",
        "ml-dtypes==0.6.0",
        "namex==0.1.0",
        "numpy==2.4.6",
        "opt-einsum==3.4.0",
        "optree==0.20.0",
        "packaging==26.3",
        "protobuf==7.36.2",
        "pygments==2.21.0",
        "requests==2.34.2",
        "rich==15.0.0",
        "setuptools==84.2.1",
        "six==1.17.0",
        "tensorflow-cpu==2.21.0",
        "termcolor==3.3.0",
        "typing-extensions==4.16.0",
        "urllib3==2.8.0",
        "wheel==0.48.0",
        "wrapt==2.5.2",
    ),
    imports=("tensorflow", "clang", "wheel"),
    large=True,
)

#: 100,000 files of our own making.
SYNTHETIC = WheelSet(
    name="synthetic",
    roots=synthetic.NAMES,
    pins=tuple(f"{name}=={synthetic.VERSION}" for name in synthetic.NAMES),
    imports=synthetic.NAMES,
    large=True,
    make=synthetic.make,
)

#: Many small packages of our own making, of which it matters how long they take to find.
MANY = WheelSet(
    name="many",
    roots=synthetic.MANY,
    pins=tuple(f"{name}=={synthetic.VERSION}" for name in synthetic.MANY),
    imports=synthetic.MANY,
    make=synthetic.make_many,
)

#: What a source distribution of our own making needs to be built.
SOURCE = WheelSet(name="source", roots=("setuptools",), pins=("setuptools==84.2.1",), imports=("setuptools",))

#: A release and the one before it.
RELEASES = (
    WheelSet(name="django", roots=(), pins=("django==5.2.18", "django==5.2.19")),
    WheelSet(name="numpy", roots=(), pins=("numpy==2.4.5", "numpy==2.4.6")),
    WheelSet(name="pandas", roots=(), pins=("pandas==3.1.0", "pandas==3.1.1")),
    WheelSet(name="torch", roots=(), pins=("torch==2.14.0", "torch==2.14.1"), large=True),
)

SETS: dict[str, WheelSet | NpmSet] = {
    some.name: some for some in (SMALL, DATA, TF, SYNTHETIC, MANY, SOURCE, *RELEASES, *NPM_SETS)
}
