"""Run inside a build: install one wheel as real files with bytecode, or link installed wheels into an environment.

    python builder.py BUILDERS

with the derivation's attributes in the environment: ``wheel`` and ``filename``, or ``trees`` and ``python``.
"""

import configparser
import os
import sys
import zipfile
from pathlib import Path

_SITE = "lib/python{}.{}/site-packages".format(*sys.version_info)

#: With fewer modules than this, starting processes costs more than it saves.
_WORTH_PROCESSES = 16


def install(wheel, filename, out):
    """Unpack a wheel into ``out``, write its commands, and compile its modules."""
    from bytecode import compile_source
    from cores import cores
    from processes import in_processes

    def compiled(place):
        source = out / place
        return compile_source(str(source), source.read_bytes(), place)

    stem = "-".join(filename.split("-")[:2])
    sources = []
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            place = _place(member.filename, stem + ".data/")
            target = out / place
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as file:
                while chunk := source.read(1 << 20):
                    file.write(chunk)
            if member.external_attr >> 16 & 0o111 or place.startswith("bin/"):
                target.chmod(0o755)
            if place.endswith(".py") and place.startswith(_SITE):
                sources.append(place)
        entry_points = [m.filename for m in members if m.filename.endswith(".dist-info/entry_points.txt")]
        texts = [archive.read(name).decode() for name in entry_points]
    for text in texts:
        _commands(text, out / "bin")
    in_processes(compiled, sources, cores() if len(sources) > _WORTH_PROCESSES else 1)


def _place(member, data):
    if not member.startswith(data):
        return _SITE + "/" + member
    scheme, _, rest = member[len(data) :].partition("/")
    return {"purelib": _SITE + "/", "platlib": _SITE + "/", "scripts": "bin/", "headers": "include/"}.get(
        scheme, ""
    ) + rest


def _commands(text, directory):
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(section) if parser.has_section(section) else ():
            module, _, attribute = value.partition("[")[0].strip().partition(":")
            directory.mkdir(exist_ok=True)
            command = directory / name
            top = attribute.partition(".")[0]
            command.write_text(
                f"#!/usr/bin/env python\nimport sys\nfrom {module} import {top}\nsys.exit({attribute}())\n"
            )
            command.chmod(0o755)


def link(trees, python, out):
    """Make a virtual environment of installed wheels: a link where one has a file, a directory where several do."""
    (out / "bin").mkdir(parents=True)
    (out / "bin" / "python").symlink_to(python)
    for name in ("python3", "python{}.{}".format(*sys.version_info)):
        (out / "bin" / name).symlink_to("python")
    home = f"home = {Path(python).parent}\ninclude-system-site-packages = false\n"
    (out / "pyvenv.cfg").write_text(home)
    _merge(trees, out)


def _merge(directories, out):
    """Fill a directory: a link to what one wheel alone has there, directories for what several have."""
    owners = {}
    for directory in directories:
        for entry in directory.iterdir():
            owners.setdefault(entry.name, []).append(entry)
    for name, found in owners.items():
        target = out / name
        if all(entry.is_dir() for entry in found) and (len(found) > 1 or target.is_dir()):
            target.mkdir(exist_ok=True)
            _merge(found, target)
        elif not os.path.lexists(target):
            target.symlink_to(found[0])


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    given = os.environ
    if "wheel" in given:
        (Path(given["out"]) / _SITE).mkdir(parents=True)
        install(given["wheel"], given["filename"], Path(given["out"]))
    else:
        link([Path(tree) for tree in given["trees"].split()], given["python"], Path(given["out"]))
