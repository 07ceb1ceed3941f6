"""The sets of wheels that are measured: fetched once, then served on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class WheelSet:
    """A closed set of wheels.

    Attributes:
        name: what the command line calls it.
        roots: the requirements that a person would write, without versions.
        pins: every wheel, as ``name==version``: figures of two days compare.
        imports: for each root a module that a finished environment must be able to import.
    """

    name: str
    roots: tuple[str, ...]
    pins: tuple[str, ...]
    imports: tuple[str, ...]

    def without(self, count: int) -> tuple[str, ...]:
        """Return the pins without those of the last ``count`` roots."""
        left_out = self.roots[len(self.roots) - count :]
        return tuple(pin for pin in self.pins if pin.partition("==")[0] not in left_out)

    def fetch(self, cache: Path) -> Path:
        """Return the directory of the set's wheels, filled from the package index where it is not there yet.

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
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary", ":all:", "--no-deps"]
        subprocess.run([*pip, "--dest", str(directory), *self.pins], check=True)
        marker.write_text(wanted)
        return directory


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

SETS = {wheels.name: wheels for wheels in (DATA,)}
