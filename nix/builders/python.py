"""Copy a Python, with the bytecode of its standard library: a store path cannot cache it at run time."""

import os
import shutil

import bytecode
from cores import cores
from processes import in_processes

#: Directories that few programs import anything of; a third of the standard library.
_TESTS = frozenset(["test", "tests", "idle_test"])


def build(attributes, out):
    """Copy a Python to ``out`` and compile its modules.

    Args:
        attributes: ``python``, the directory of one that runs where it lies: ``bin``, ``lib``, ….
        out: directory to make.
    """
    sources = []
    _copy(attributes["python"], out, "", sources)
    in_processes(lambda path: _compile(out, path), sources, cores())


def _copy(source, target, inside, sources):
    """Copy a directory, and add the modules in it to ``sources``: paths from the top.

    Links stay links. Everything can be written to meanwhile; Nix takes that away.
    """
    os.mkdir(target)
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        copy, path = os.path.join(target, entry.name), os.path.join(inside, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), copy)
        elif entry.is_dir():
            _copy(entry.path, copy, path, sources)
        else:
            shutil.copyfile(entry.path, copy)
            os.chmod(copy, 0o755 if entry.stat().st_mode & 0o111 else 0o644)
            if path.endswith(".py") and _TESTS.isdisjoint(path.split(os.sep)):
                sources.append(path)


def _compile(out, path):
    """Compile a module of a copy, given by its path there."""
    source = os.path.join(out, path)
    with open(source, "rb") as file:
        return bytecode.compile_source(source, file.read(), path)
