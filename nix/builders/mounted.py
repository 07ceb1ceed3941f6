"""Write the image of an environment whose files are real: overlayfs takes their content from the store."""

import json
import os
import re
import shutil

import env
import erofs
import layout
import manifest
import shown
import startup
import tree
from bytecode import TIME

#: What the output holds beside the image: what mounts it, with its parts.
PROGRAM, COMPILED = "bin/nixgen-venv", "venv"

_WAYS = re.compile(r"\.t?[0-9]+")


def build(attributes, out):
    """Make the directory ``out``, with the image of an environment.

    Every file of a wheel is its leaf there, also what trees copy, and has the mode that an installer gives it;
    bytecode, launchers, RECORD and what else is made for the environment come from the trees and from itself.

    Args:
        attributes: ``env`` (the environment), ``compiled`` (what compiled.py made) and ``trees``: of each, its
            ``path``, and its attributes as JSON, in the file ``attributesPath`` or the text ``attributes``.
        out: directory to make.
    """
    os.mkdir(out)
    root = _Environment(attributes["env"], attributes["trees"]).directory(attributes["env"], "")
    shown.write(out, root, attributes["env"], time=TIME)
    os.mkdir(os.path.join(out, "bin"))
    shutil.copy(os.path.join(attributes["env"], PROGRAM), os.path.join(out, PROGRAM))
    os.symlink(attributes["compiled"], os.path.join(out, COMPILED))


class _Environment:
    """An environment, and which files of it are a wheel's."""

    def __init__(self, path, trees):
        self._store = os.path.dirname(path)
        site = layout.site_packages()
        self._ways = os.path.dirname(site)
        # Of a file that can be written, a copy can be.
        self._left_out = {os.path.dirname(manifest.PATH), *startup.paths(site, env.WRITABLE)}
        self._links = {"lib64", *("bin/" + name for name in env.interpreter_names())}
        self._wheels = {}
        self._instead = {}
        for made in trees:
            root = made["path"]
            said = manifest.Manifest.read(root)
            instead = {*said.copies, *said.programs}.difference(said.launchers)
            for file in tree.files_of(_attributes(made), site, root):
                self._wheels.setdefault(file.target, []).append(file)
                if file.target in instead:
                    # What stands there, a copy or a program of its own, stands for the leaf.
                    self._instead[os.path.realpath(os.path.join(root, file.target))] = file
        # What the environment has a copy of itself is the same file as that in its tree.
        for target, source in env.copies(path).items():
            found = self._instead.get(os.path.realpath(source)) or self._of_leaf(target, os.path.realpath(source))
            self._instead[os.path.join(path, target)] = found

    def directory(self, real, relative):
        """Return the node of a directory of the environment, of which ``real`` is the path without links."""
        entries = {}
        with os.scandir(real) as listing:
            for entry in listing:
                path = os.path.join(relative, entry.name)
                if path in self._left_out or (relative == self._ways and _WAYS.fullmatch(entry.name)):
                    continue
                if path in self._links and entry.is_symlink():
                    node = erofs.Link(os.fsencode(os.readlink(entry.path)))
                elif entry.is_dir():
                    inside = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    node = self.directory(inside, path)
                else:
                    node = self._file(entry, path)
                entries[os.fsencode(entry.name)] = node
        return erofs.Directory(entries)

    def _of_leaf(self, target, leaf):
        return next((file for file in self._wheels.get(target, []) if file.leaf == leaf), None)

    def _file(self, entry, path):
        found = os.readlink(entry.path) if entry.is_symlink() else entry.path
        # A leaf, mostly.
        file = self._of_leaf(path, found)
        if file is None:
            # The way to it has no link: `real` is the directory's own path.
            found = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            file = self._instead.get(found)
        if file is None:
            executable = os.stat(found).st_mode & 0o100
        else:
            found, executable = file.leaf, file.executable
        size = os.path.getsize(found) if found else 0
        content = os.fsencode(found[len(self._store) :]) if size else b""
        return erofs.File(0o755 if executable else 0o644, size, content)


def _attributes(made):
    if "attributes" in made:
        return json.loads(made["attributes"])
    with open(made["attributesPath"], encoding="utf-8") as file:
        return json.load(file)
