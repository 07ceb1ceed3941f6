"""What pip and uv choose of an index that holds empty wheels under the names of real ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import uv
from packaging.utils import canonicalize_name, parse_wheel_filename

#: A file of each empty wheel that holds the wheel's name: uv does not say which one it took.
_CHOICE = "CHOICE"

#: A version below all others, which every package has for every system: chosen where no real wheel fits.
_NONE = "0.dev0"


class Index:
    """An index of empty wheels, and the two programs that choose from it.

    Args:
        root: a directory to keep them in.

    Attributes:
        versions: of pip (the newest, since old ones do not know all tags) and uv.
    """

    def __init__(self, root: Path) -> None:
        self._wheels = root / "wheels"
        self._simple = root / "simple"
        self._root = root
        self._packages: list[str] = []
        self._uv = uv.find_uv_bin()
        self._wheels.mkdir()
        _run([self._uv, "pip", "install", "--quiet", "--target", str(root / "pip"), "pip"])
        self._pip = [sys.executable, str(root / "pip" / "pip")]
        said = [_run([*command, "--version"]).split() for command in (self._pip, [self._uv])]
        self.versions = {"pip": said[0][1], "uv": said[1][1]}

    def fill(self, packages: Mapping[str, Iterable[str]]) -> None:
        """Let the index have these packages and no others, each with empty wheels of these file names."""
        shutil.rmtree(self._simple, ignore_errors=True)
        self._packages = sorted(packages)
        for package, filenames in packages.items():
            names = [*filenames, f"{package.replace('-', '_')}-{_NONE}-py3-none-any.whl"]
            for name in names:
                if not (self._wheels / name).exists():
                    _write_empty_wheel(self._wheels / name)
            links = "".join(f'<a href="{(self._wheels / name).as_uri()}">{name}</a>\n' for name in names)
            (self._simple / package).mkdir(parents=True)
            page = f"<!DOCTYPE html><html><body>{links}</body></html>"
            (self._simple / package / "index.html").write_text(page)

    def pip(self, python: str, platforms: Sequence[str]) -> dict[str, str | None]:
        """Return the wheel that pip takes of each package, None where none fits.

        Args:
            python: ``3.12``, ``3.13t``.
            platforms: the platform tags that it is told.
        """
        said = _run(
            [
                *(*self._pip, "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed", "--pre"),
                *("--report", "-", "--only-binary", ":all:", "--target", str(self._root / "nowhere")),
                *("--index-url", self._simple.as_uri(), "--disable-pip-version-check", "--no-cache-dir"),
                *("--implementation", "cp", "--python-version", python.rstrip("t")),
                *("--abi", "cp" + python.replace(".", "")),
                *(f"--platform={platform}" for platform in platforms),
                *self._packages,
            ]
        )
        urls = [item["download_info"]["url"] for item in json.loads(said)["install"]]
        return self._chosen(unquote(url.rpartition("/")[2]) for url in urls)

    def uv(self, python: str, platform: str) -> dict[str, str | None]:
        """Return the wheel that uv takes of each package; as ``pip``, but for ``platform``: uv's name for it."""
        with tempfile.TemporaryDirectory(dir=self._root) as target:
            _run(
                [
                    *(self._uv, "pip", "install", "--quiet", "--no-config", "--no-cache", "--no-deps"),
                    *("--only-binary", ":all:", "--prerelease", "allow", "--target", target),
                    *("--index-url", self._simple.as_uri(), "--python", sys.executable),
                    *("--python-version", python, "--python-platform", platform, *self._packages),
                ]
            )
            return self._chosen([path.read_text() for path in Path(target).glob(f"*.dist-info/{_CHOICE}")])

    def _chosen(self, filenames: Iterable[str]) -> dict[str, str | None]:
        found = {str(parse_wheel_filename(filename)[0]): filename for filename in filenames}
        return {name: None if f"-{_NONE}-" in found[name] else found[name] for name in self._packages}


def _run(command: Sequence[str]) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    # The macOS that a wheel may ask for is uv's default otherwise.
    told = {"PIP_CONFIG_FILE": os.devnull, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**clean, **told})
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def _write_empty_wheel(path: Path) -> None:
    name, version, _, _ = parse_wheel_filename(path.name)
    info = "-".join(path.name.split("-")[:2]) + ".dist-info"
    members = {
        "METADATA": f"Metadata-Version: 2.1\nName: {canonicalize_name(name)}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: corpus\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        _CHOICE: path.name,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(f"{info}/{member}", content)
        archive.writestr(f"{info}/RECORD", "".join(f"{info}/{member},,\n" for member in [*members, "RECORD"]))
