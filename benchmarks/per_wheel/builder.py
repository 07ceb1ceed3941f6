"""Run inside a build: install one wheel as real files with bytecode, or link installed wheels into an environment.

    python builder.py BUILDERS

with the derivation's attributes in the environment: ``wheel`` and ``filename``, or ``trees`` and ``python``.
"""

import configparser
import os
import sys
import zipfile

_SITE = "lib/python{}.{}/site-packages".format(*sys.version_info)


def install(wheel, filename, out):
    """Unpack a wheel into ``out``, write its commands, and compile its modules."""
    from bytecode import compile_source
    from cores import cores
    from processes import in_processes

    stem = "-".join(filename.split("-")[:2])
    sources = []
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            target = os.path.join(out, _place(member.filename, stem + ".data/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(member) as source, open(target, "wb") as file:
                while chunk := source.read(1 << 20):
                    file.write(chunk)
            if member.external_attr >> 16 & 0o111 or "/bin/" in target[len(out) :]:
                os.chmod(target, 0o755)
            if target.endswith(".py") and _SITE in target:
                sources.append(target)
        entry_points = [m.filename for m in members if m.filename.endswith(".dist-info/entry_points.txt")]
        texts = [archive.read(name).decode() for name in entry_points]
    for text in texts:
        _commands(text, out)
    in_processes(compile_source, sources, cores() if len(sources) > 16 else 1)


def _place(member, data):
    if not member.startswith(data):
        return _SITE + "/" + member
    scheme, _, rest = member[len(data) :].partition("/")
    return {"purelib": _SITE + "/", "platlib": _SITE + "/", "scripts": "bin/", "headers": "include/"}.get(
        scheme, ""
    ) + rest


def _commands(text, out):
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(section) if parser.has_section(section) else ():
            module, _, attribute = value.partition("[")[0].strip().partition(":")
            os.makedirs(os.path.join(out, "bin"), exist_ok=True)
            with open(os.path.join(out, "bin", name), "w", encoding="utf-8") as file:
                file.write("#!/usr/bin/env python\nimport sys\n")
                file.write(f"from {module} import {attribute.partition('.')[0]}\nsys.exit({attribute}())\n")
            os.chmod(os.path.join(out, "bin", name), 0o755)


def link(trees, python, out):
    """Make a virtual environment of installed wheels: a link where one has an entry, a directory where several do."""
    os.makedirs(os.path.join(out, "bin"))
    for name in ("python", "python3", "python{}.{}".format(*sys.version_info)):
        os.symlink(python if name == "python" else "python", os.path.join(out, "bin", name))
    with open(os.path.join(out, "pyvenv.cfg"), "w", encoding="utf-8") as file:
        file.write(f"home = {os.path.dirname(python)}\ninclude-system-site-packages = false\n")
    _merge(trees, out)


def _merge(directories, out):
    owners = {}
    for directory in directories:
        for name in os.listdir(directory):
            owners.setdefault(name, []).append(os.path.join(directory, name))
    for name, found in owners.items():
        target = os.path.join(out, name)
        if len(found) == 1 and not os.path.isdir(target):
            os.symlink(found[0], target)
        elif all(os.path.isdir(path) for path in found):
            os.makedirs(target, exist_ok=True)
            _merge(found, target)
        elif not os.path.lexists(target):
            os.symlink(found[0], target)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    given = os.environ
    if "wheel" in given:
        os.makedirs(os.path.join(given["out"], _SITE))
        install(given["wheel"], given["filename"], given["out"])
    else:
        link(given["trees"].split(), given["python"], given["out"])
