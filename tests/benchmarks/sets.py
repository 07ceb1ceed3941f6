"""Sets of tiny made wheels, and a cache that has them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.npm_registry import Served
from benchmarks.npm_sets import NpmSet
from benchmarks.sets import WheelSet
from tests.support.npm import npm_package
from tests.support.wheels import make_wheel, write_wheel

TINY = WheelSet(
    name="tiny", roots=("one", "two"), pins=("needed==1.0", "one==1.0", "two==1.0"), imports=("one_", "two_")
)

#: Two releases; a third of the files differs.
PAIR = WheelSet(name="pair", roots=(), pins=("thing==1.0", "thing==1.1"))

#: What stands for setuptools: it packs what lies there, as ``benchmarks.measures.sources`` has it.
TOOLS = WheelSet(name="tools", roots=("setuptools",), pins=("setuptools==1.0",), imports=("setuptools",))


def _made(directory: Path) -> list[Served]:
    made = [npm_package(name) for name in ("one", "two")]
    for package in made:
        (directory / package.filename).write_bytes(package.archive)
    return [
        Served(
            name=package.name,
            version=package.version,
            integrity=package.integrity,
            file=package.filename,
            manifest=package.manifest,
        )
        for package in made
    ]


#: Packages of npm that need nothing, beside npm alone.
TINY_NPM = NpmSet(
    name="tiny-npm",
    dependencies=dict.fromkeys(("one", "two"), "1.0.0"),
    imports=("one", "two"),
    peers=("npm",),
    made=_made,
)

_BUILD_META = """\
import zipfile
from pathlib import Path

def build_wheel(directory, config_settings=None, metadata_directory=None):
    files = {str(path): path.read_text() for path in sorted(Path().glob("sourced*/*.py"))}
    name = min(files).partition("/")[0]
    info = f"{name}-1.0.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/RECORD"] = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(Path(directory, f"{name}-1.0-py3-none-any.whl"), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}-1.0-py3-none-any.whl"
"""


def fill(cache: Path) -> None:
    """Put the wheels of all sets where they would have been fetched to."""
    directory = cache / "wheels" / "tiny"
    for name, needs in (("needed", []), ("one", ["Requires-Dist: needed"]), ("two", [])):
        write_wheel(directory, make_wheel(name, "1.0", {f"{name}_.py": f"name = {name!r}\n"}, metadata=needs))
    for version in ("1.0", "1.1"):
        files = {"thing/__init__.py": "", "thing/same.py": "same = 1\n", "thing/other.py": f"version = {version!r}\n"}
        write_wheel(cache / "wheels" / "pair", make_wheel("thing", version, files))
    files = {"setuptools/__init__.py": "", "setuptools/build_meta.py": _BUILD_META}
    write_wheel(cache / "wheels" / "tools", make_wheel("setuptools", "1.0", files))
    for wheels in (TINY, PAIR, TOOLS):
        (cache / "wheels" / wheels.name / "pins.txt").write_text("".join(f"{pin}\n" for pin in wheels.pins))
