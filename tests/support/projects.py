"""Projects that build themselves: a build backend in the project, of the standard library alone."""

from __future__ import annotations

from pathlib import Path

#: The backend: packs ``src``, and points an editable installation to it (PEP 517, PEP 660).
BACKEND = """\
import zipfile
from pathlib import Path

NAME, VERSION, SCRIPT = {name!r}, {version!r}, {script!r}

def _wheel(directory, files):
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files = dict(files)
    files[f"{{info}}/METADATA"] = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n"
    files[f"{{info}}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    if SCRIPT:
        files[f"{{info}}/entry_points.txt"] = f"[console_scripts]\\n{{SCRIPT}} = {{NAME}}:main\\n"
    files[f"{{info}}/RECORD"] = "".join(f"{{path}},,\\n" for path in [*files, f"{{info}}/RECORD"])
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name

def build_wheel(directory, config_settings=None, metadata_directory=None):
    found = sorted(path for path in Path("src").rglob("*.py"))
    return _wheel(directory, {{path.relative_to("src").as_posix(): path.read_text() for path in found}})

def build_editable(directory, config_settings=None, metadata_directory=None):
    return _wheel(directory, {{f"__editable__.{{NAME}}.pth": f"{{Path('src').absolute()}}\\n"}})
"""


def write_project(
    directory: Path, name: str = "own", version: str = "1.0", *, script: str = "", says: str = "one", more: str = ""
) -> None:
    """Write a project that is a package; ``own.main`` prints ``says``.

    Args:
        directory: where; made if it is not there.
        name: of the project and its package.
        version: its version.
        script: a command that it has; "" for none.
        says: what its command prints.
        more: further lines of its pyproject.toml, after ``[project]``.
    """
    package = directory / "src" / name
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(f"def main():\n    print({says!r})\n")
    (directory / "backend.py").write_text(BACKEND.format(name=name, version=version, script=script))
    scripts = f'[project.scripts]\n{script} = "{name}:main"\n' if script else ""
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\n{more}{scripts}'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
