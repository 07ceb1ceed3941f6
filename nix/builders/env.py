"""Merge trees into one virtual environment around an interpreter: links to directories wherever one wheel owns them.

What few environments need is imported where they need it: a third of the time of a small one is imports.
"""

import os
import stat
import sys

import copying
import layout
import manifest
import neighbours
import plain_json

#: Which of several files for one path stands in an environment; only where its user said so.
_PREFERRED = "nix-support/nixgen-env.json"

#: Which files an environment has copies of itself, by their paths: those in its trees, whose neighbours lie elsewhere.
COPIES = "nix-support/nixgen-copies.json"

#: The longest target of a link that ext4 keeps in the inode; a longer one costs a block (4 KiB).
_INLINE = 59

#: Part of the names of what an environment runs at its start so that copies of its files can be written.
WRITABLE = "writable"

#: Links to the trees by their number, beside the environment's site-packages, and through these to their site-packages:
#: links to what is in them are short that way. Two steps, as one link would be too long; a directory costs a block.
_TREE, _WAY = ".t{}", ".{}"

#: A real file: a flat file of the store cannot be executable. What it reads is shared by all environments.
_VENV = """\
#!/bin/sh
# nixgen: make or heal a virtual environment on top of this environment; see --help.
parts='{parts}'
. "$parts/program.sh"
"""


def build(attributes, out):
    """Make the environment ``out``.

    Args:
        attributes: ``trees`` (paths of trees, in the order in which they win for bytecode), ``python`` (path of the
            interpreter, which is the one that runs this), ``activate`` (paths of the activation scripts by their
            name; a wheel's own file of that name stands instead), ``venv`` (the directory of what
            ``bin/nixgen-venv`` reads and runs; no wheel's stands in its place),
            ``prefer`` (pairs of a path in the environment and the distribution whose file stands there, where several
            bring one) and ``libraries`` (``given``, ``ignore`` and ``required``, as ``libraries.write`` takes them).
        out: directory to make.

    Raises:
        SystemExit: where two trees have different files for one path; locking finds that first. As
            ``libraries.write``.
    """
    site = layout.site_packages()
    os.makedirs(os.path.join(out, site))
    os.mkdir(os.path.join(out, "bin"))
    _write_interpreter(attributes["python"], out)
    prefer = dict(attributes["prefer"])
    merge = Merge(out, attributes["trees"], site, prefer)
    merge.directory("", attributes["trees"])
    for name, script in sorted(attributes["activate"].items()):
        activate = os.path.join(out, "bin", name)
        if not os.path.lexists(activate):
            os.symlink(script, activate)
    _write_venv(attributes["venv"], out)
    _write_json(prefer, os.path.join(out, _PREFERRED))
    _write_json(merge.copies, os.path.join(out, COPIES))
    merge.ways()
    if merge.conflicts:
        sys.exit("nixgen: different files for one path of the environment:\n" + "\n".join(merge.conflicts))
    wanted = attributes["libraries"]
    if wanted["given"] or wanted["required"]:
        import libraries

        libraries.write(out, site, merge.manifests, attributes["python"], **wanted)
    if any(said.scaffolds for said in merge.manifests.values()):
        import startup

        startup.write(os.path.join(out, site), WRITABLE, "writable.py", f"install({os.path.dirname(out)!r})")


def interpreter_names():
    """Return the names of the interpreter in ``bin``: the one that leads out of the environment, and those of it."""
    return ["python", "python3", "python{}.{}".format(*sys.version_info)]


def copies(env):
    """Return the files that an environment has copies of itself: path in it to the file in a tree."""
    try:
        with open(os.path.join(env, COPIES), encoding="utf-8") as file:
            return plain_json.loads(file.read())
    except FileNotFoundError:
        return {}


def _write_interpreter(python, out):
    """Make what a virtual environment is to Python (PEP 405) and uv: links in ``bin``, ``pyvenv.cfg``, ``lib64``."""
    first, *others = interpreter_names()
    os.symlink(python, os.path.join(out, "bin", first))
    for name in others:
        os.symlink(first, os.path.join(out, "bin", name))
    if sys.platform != "darwin" and sys.maxsize > 2**32:
        os.symlink("lib", os.path.join(out, "lib64"))
    with open(os.path.join(out, "pyvenv.cfg"), "x", encoding="utf-8") as file:
        file.write(f"home = {os.path.dirname(python)}\n")
        file.write("include-system-site-packages = false\n")
        file.write("version = {}.{}.{}\n".format(*sys.version_info))
    # uv locks this file of an environment that it looks at, and as root would make it in the store.
    with open(os.path.join(out, ".lock"), "x", encoding="utf-8"):
        pass


def _write_venv(parts, out):
    """Make ``bin/nixgen-venv``."""
    program = os.path.join(out, "bin", "nixgen-venv")
    if os.path.lexists(program):
        os.unlink(program)  # a wheel's, in the place of what root runs at boot; locking refuses it
    with open(program, "x", encoding="utf-8") as file:
        file.write(_VENV.format(parts=parts.replace("'", "'\\''")))
    os.chmod(program, 0o555)


def _write_json(said, path):
    """Write what farms read beside the ways to the trees, where there is anything to say."""
    if said:
        import json

        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            json.dump(said, file, indent=1, sort_keys=True)
            file.write("\n")


class Merge:
    """A merge of trees into one environment.

    Attributes:
        conflicts: one line for each path that two trees fill differently.
        manifests: what each tree says of itself (``manifest.Manifest``), by its path.
        copies: the files that are copied from the trees, since their neighbours lie in others: by their paths.
    """

    def __init__(self, out, trees, site, prefer):
        self.conflicts = []
        self.manifests = {}
        self.copies = {}
        self._out = out
        self._owners = {}
        self._prefer = prefer
        self._site = site
        self._launchers = set()
        self._real = {"bin", "lib", os.path.dirname(site), site}
        for tree in trees:
            said = self.manifests[tree] = manifest.Manifest.read(tree)
            self._owners[tree + "/"] = said.distribution
            self._launchers.update(os.path.join(tree, path) for path in said.launchers)
            self._make_real(said.descend)
        self._copied = neighbours.apart(self.manifests, site)
        self._make_real({os.path.dirname(path) for _, path in self._copied})
        self._copied |= neighbours.no_links(self.manifests)
        # Numbers do not depend on the order of the trees.
        ordered = sorted(self._owners, key=lambda tree: (self._owners[tree], tree))
        self._ways = {tree: number for number, tree in enumerate(ordered)}

    def _make_real(self, directories):
        for path in directories:
            while path:
                self._real.add(path)
                path = os.path.dirname(path)

    def ways(self):
        """Make the ways to the trees, which also say which trees the environment is made of."""
        beside = os.path.dirname(self._site)
        for tree, number in self._ways.items():
            way = _TREE.format(number)
            for name, target in ((way, tree.rstrip("/")), (_WAY.format(number), f"{way}/{self._site}")):
                path = os.path.join(beside, name)
                if os.path.lexists(os.path.join(self._out, path)):
                    self.conflicts.append(f"  {path}: a wheel's, and nixgen's own")
                else:
                    os.symlink(target, os.path.join(self._out, path))

    def directory(self, relative, sources):
        """Fill the environment's directory ``relative`` from the directories ``sources`` of trees, in their order."""
        os.makedirs(os.path.join(self._out, relative), exist_ok=True)
        entries = {}
        for source in sources:
            with os.scandir(source) as listing:
                for entry in listing:
                    entries.setdefault(entry.name, []).append(entry)
        for name in sorted(entries):
            path = os.path.join(relative, name)
            if path != os.path.dirname(manifest.PATH):
                self._entry(path, entries[name])

    def _entry(self, path, found):
        if _is_bytecode(path):
            found = self._of_source(path, found)
        preferred = self._prefer.get(path)
        directories = [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
        files = [entry.path for entry in found if entry.path not in directories]
        if files and any(self._owner(entry.path) == preferred for entry in found):
            files = [file for file in files if self._owner(file) == preferred]
            directories = [] if files else directories
        if files:
            if directories or not all(_same(files[0], other) for other in files[1:]):
                owners = ", ".join(self._owner(entry.path) for entry in found)
                self.conflicts.append(f"  {path}: {owners}")
            else:
                self._file(path, files[0])
        elif len(directories) == 1 and not self._is_real(path):
            self._link(path, directories[0])
        elif directories:
            self.directory(path, directories)

    def _of_source(self, path, found):
        """Keep the bytecode of the wheel whose source stands in the environment: Python does not compare them."""
        import importlib.util

        source = importlib.util.source_from_cache(path)
        preferred = self._prefer.get(source)
        if len(found) == 1 and preferred is None:
            return found
        trees = [tree for tree in self._owners if os.path.lexists(os.path.join(tree, source))]
        winner = next((tree for tree in trees if self._owners[tree] == preferred), next(iter(trees), ""))
        return [entry for entry in found if entry.path.startswith(winner)]

    def _is_real(self, path):
        # uv does not see a distribution whose .dist-info is a link.
        return path in self._real or (os.path.dirname(path) == self._site and path.endswith(".dist-info"))

    def _file(self, path, source):
        destination = os.path.join(self._out, path)
        if source in self._launchers:
            # Real, so that whoever resolves its path still finds the Python beside it.
            _copy(source, destination)
        elif (source[: -len(path) - 1], path) in self._copied:
            _copy(source, destination)
            self.copies[path] = source
        else:
            # A leaf's own path rather than the tree's link to it: short enough for the inode.
            self._link(path, os.readlink(source) if os.path.islink(source) else source)

    def _link(self, path, target):
        """Make the environment's ``path`` a link, through a short way where the target is too long for the inode."""
        tree = None
        if len(target) > _INLINE:
            tree = next((tree for tree in self._ways if target.startswith(tree + self._site + "/")), None)
        if tree is not None:
            way = os.path.join(os.path.dirname(self._site), _WAY.format(self._ways[tree]))
            short = os.path.relpath(way, os.path.dirname(path)) + target[len(tree + self._site) :]
            if len(short) <= _INLINE:
                target = short
        os.symlink(target, os.path.join(self._out, path))

    def _owner(self, path):
        return next(owner for tree, owner in self._owners.items() if path.startswith(tree))


def _copy(source, destination):
    copying.copy(source, destination, stat.S_IMODE(os.stat(source).st_mode))


def _same(first, second):
    """Tell whether two files may stand for each other."""
    import filecmp

    return filecmp.cmp(first, second, shallow=False)


def _is_bytecode(path):
    directory, name = os.path.split(path)
    # A name of three parts is what source_from_cache takes: module.cpython-311.pyc.
    return os.path.basename(directory) == "__pycache__" and name.endswith(".pyc") and name.count(".") == 2
