"""Source distributions that build themselves: archives of projects with a backend of their own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

#: A backend of the standard library alone: packs ``src``. What is inserted runs in each build, and may add ``files``.
BACKEND = """\
import os, zipfile
from pathlib import Path

NAME, VERSION, NEEDS = {name!r}, {version!r}, {needs!r}

def get_requires_for_build_wheel(config_settings=None):
    return NEEDS

def build_wheel(directory, config_settings=None, metadata_directory=None):
    files = {{path.relative_to("src").as_posix(): path.read_text() for path in sorted(Path("src").rglob("*.py"))}}
{more}
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files[f"{{info}}/METADATA"] = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n"
    files[f"{{info}}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{{info}}/RECORD"] = "".join(f"{{path}},,\\n" for path in [*files, f"{{info}}/RECORD"])
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
"""


def source_files(
    name: str,
    version: str = "1.0",
    *,
    requires: list[str] | None = None,
    needs: list[str] | None = None,
    more: str = "",
) -> dict[str, str]:
    """Return the files of a project that packs itself.

    Args:
        name, version: of the project and its package.
        requires: what ``[build-system]`` asks for.
        needs: what its backend asks for beyond that.
        more: lines of Python that run in a build.
    """
    inserted = "\n".join(f"    {line}" for line in more.splitlines())
    return {
        "pyproject.toml": f'[build-system]\nrequires = {requires or []}\nbuild-backend = "b"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n',
        "b.py": BACKEND.format(name=name, version=version, needs=needs or [], more=inserted),
        f"src/{name}/__init__.py": f"version = {version!r}\n",
    }


def make_source(
    name: str, version: str = "1.0", files: Mapping[str, str] | None = None, **more: object
) -> tuple[str, bytes]:
    """Return the file name and content of a source distribution.

    Args:
        name, version: of the project.
        files: what is in it; None for ``source_files``, which gets ``more``.
    """
    content = io.BytesIO()
    top = f"{name}-{version}"
    held = {"PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"}
    held |= source_files(name, version, **more) if files is None else files  # type: ignore[arg-type]
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path, text in held.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{top}.tar.gz", content.getvalue()
