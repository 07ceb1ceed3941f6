"""Fill a virtual environment with one link for each file of an environment's packages, or take them out again.

``python -I -S farm.py fill ENV`` and ``… clear``, in the directory of the virtual environment, by
bin/nixgen-venv, which holds its lock. Directories are real, so that installers see and remove what lies in them. A
package that the user installed stays, and one that he removed stays away unless ``--all`` brings it back.

``.nixgen/farm`` says what was placed: a line ``complete ENV`` or ``incomplete ENV``, then for each package its tree and
the path of its ``.dist-info``. It is written before and after, so that an interruption is completed by the next run.
Standard library only, Python 3.8 and newer.
"""

import contextlib
import csv
import json
import os
import re
import shutil
import stat
import sys

_LIST = ".nixgen/farm"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_SITE = "lib/python{}.{}{}/site-packages".format(*sys.version_info[:2], getattr(sys, "abiflags", "").replace("d", ""))

#: Copies of a tree that do as links: they are found in the tree then, where all that belongs to them lies.
_LINKED = {"executable", "subtree", "mach-o", "header"}

#: What belongs to no package: what an environment runs when its Python starts (nix/builders/startup.py).
_STARTUP = [
    path for name in ("libraries", "writable") for path in (f"0-nixgen-{name}.pth", f"_nixgen_{name}/__init__.py")
]


def main(action, env=None, *options):
    """Do what the command line says; see the module."""
    placed = _read()
    trees, prefer = _made_of(env) if action == "fill" else ([], {})
    wanted = {tree: _dist_info(tree) for tree in trees}
    complete = f"complete {env}"
    again = "--all" in options or placed["state"].startswith("incomplete")
    _write(f"in{complete}", {**placed["trees"], **wanted})
    farm = Farm(prefer)
    for tree, dist_info in placed["trees"].items():
        if tree not in wanted and _was_placed(dist_info):
            farm.remove(dist_info, wanted)
    theirs = _users_own()
    for tree, dist_info in wanted.items():
        if (again or tree not in placed["trees"]) and _name(dist_info) not in theirs:
            farm.place(tree)
    _copies(env)
    _startup(env)
    if action == "fill":
        _write(complete, wanted)
    else:
        os.unlink(_LIST)


class Farm:
    """Links below the current directory.

    Args:
        prefer: by path, the distribution whose file stands there where several bring one.
    """

    def __init__(self, prefer):
        self._prefer = prefer
        self._hard = True

    def place(self, tree):
        """Place the files of a tree; what is there already stays, but for links that lead nowhere."""
        manifest = _json(f"{tree}/nix-support/nixgen.json")
        # Whoever copies them asks the file itself for its mode.
        scaffolds = frozenset(manifest.get("scaffolds", ()))
        stack = [""]
        while stack:
            directory = stack.pop()
            with os.scandir(os.path.join(tree, directory)) as entries:
                for entry in entries:
                    path = f"{directory}/{entry.name}" if directory else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != "__pycache__" and path != "nix-support":
                            with contextlib.suppress(FileExistsError):
                                os.mkdir(path)
                            # What a link of the user's leads to lies elsewhere.
                            if not os.path.islink(path):
                                stack.append(path)
                    elif self._prefer.get(path, manifest["distribution"]) == manifest["distribution"]:
                        if os.path.islink(path) and not os.path.exists(path):
                            os.unlink(path)
                        with contextlib.suppress(FileExistsError):
                            self._file(entry, path, manifest["copies"].get(path), path in scaffolds)

    def _file(self, entry, path, reasons, real):
        if entry.is_symlink() and not real:
            self._link(entry.path, path)
        elif reasons and not real and _LINKED.issuperset(reasons) and not path.startswith("bin/"):
            os.symlink(entry.path, path)
        elif not os.path.lexists(path):
            (_record if path.endswith(".dist-info/RECORD") else _copy)(entry.path, path)

    def _link(self, source, path):
        # Another name of the same link takes no inode; only on one file system, and only for the owner of the store.
        if self._hard:
            try:
                os.link(source, path, follow_symlinks=False)
                return
            except FileExistsError:
                raise
            except (OSError, NotImplementedError):
                self._hard = False
        os.symlink(os.readlink(source), path)

    def remove(self, dist_info, kept):
        """Remove what the RECORD of a distribution names, with its bytecode, but for files of trees that are kept."""
        site, record, names = os.path.dirname(dist_info), f"{dist_info}/RECORD", []
        with contextlib.suppress(OSError), _open(record) as file:
            names = [row[0] for row in csv.reader(file) if row]
        paths = [os.path.normpath(f"{site}/{name}") for name in names]
        directories = set()
        for path in paths:
            if path == record or not _lies_here(path) or any(os.path.lexists(f"{t}/{path}") for t in kept):
                continue
            _unlink(path)
            directory, name = os.path.split(path)
            directories.add(directory)
            cache = f"{directory}/__pycache__"
            if name.endswith(".py") and os.path.isdir(cache) and not os.path.islink(cache):
                directories.add(cache)
                for cached in os.listdir(cache):
                    if cached.startswith(f"{name[:-3]}.") and cached.endswith(".pyc"):
                        _unlink(f"{cache}/{cached}")
        _unlink(f"{dist_info}/REQUESTED")
        for directory in sorted(directories, key=len, reverse=True):
            _remove_empty(directory)
        # Last: from it, whoever comes after an interruption knows what there is to remove.
        _unlink(record)
        _remove_empty(dist_info)


def _copies(env):
    """Copy what the environment has a copy of too, where it is placed: its neighbours lie in several trees."""
    with contextlib.suppress(FileNotFoundError):
        for path, source in _json(f"{env}/nix-support/nixgen-copies.json").items():
            if os.path.islink(path) and _lies_here(path) and os.path.realpath(path) == os.path.realpath(source):
                _copy(source, path)


def _startup(env):
    """Copy what the environment runs at the start, where it has any; else take away that of another one."""
    for directory in os.listdir("lib"):
        site = f"lib/{directory}/site-packages"
        for name in _STARTUP:
            path, source = f"{site}/{name}", f"{env}/{site}/{name}"
            if not _lies_here(path):
                continue
            if site == _SITE and env is not None and os.path.exists(source):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                _copy(source, path)
            elif os.path.lexists(path):
                os.unlink(path)
                if os.path.dirname(path) != site:
                    shutil.rmtree(os.path.dirname(path), ignore_errors=True)


def _copy(source, path):
    """Copy a file whole or not at all."""
    new = _new()
    with open(source, "rb") as file, os.fdopen(os.open(new, _NEW, 0o600), "wb") as copy:
        shutil.copyfileobj(file, copy)
        os.fchmod(copy.fileno(), 0o755 if os.access(source, os.X_OK) else 0o644)
    os.rename(new, path)


def _record(source, path):
    """Copy the RECORD of a tree without the bytecode, which a farm has where Python has imported the source."""
    new = _new()
    with open(source, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if not row[0].endswith(".pyc") or "/__pycache__/" not in f"/{row[0]}"]
    with os.fdopen(os.open(new, _NEW, 0o644), "w", encoding="utf-8", newline="") as copy:
        csv.writer(copy, lineterminator="\n").writerows(rows)
    os.rename(new, path)


def _open(path):
    """Open a real file for reading: no link is followed, and a pipe in its place waits for nobody."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"not a regular file: {path}")
    return os.fdopen(file, encoding="utf-8", newline="")


def _new():
    """Return a path that nobody guesses, for what is renamed into place."""
    return f".nixgen/new-{os.urandom(12).hex()}"


def _lies_here(path):
    """Tell whether a path stays below the current directory, with no link on the way."""
    if path.startswith(("/", "../")):
        return False
    directory = os.path.dirname(path)
    while directory:
        if os.path.islink(directory):
            return False
        directory = os.path.dirname(directory)
    return True


def _unlink(path):
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        os.unlink(path)


def _remove_empty(directory):
    """Remove a directory and those around it, as far as they are empty."""
    while directory not in (_SITE, "bin", "lib", ""):
        try:
            os.rmdir(directory)
        except OSError:
            break
        directory = os.path.dirname(directory)


def _read():
    placed = {"state": "", "trees": {}}
    with contextlib.suppress(OSError, ValueError), _open(_LIST) as file:
        placed["state"] = file.readline().rstrip("\n")
        placed["trees"] = dict(line.rstrip("\n").split("\t") for line in file)
    return placed


def _write(state, trees):
    new = _new()
    with os.fdopen(os.open(new, _NEW, 0o644), "w", encoding="utf-8") as file:
        file.write(f"{state}\n" + "".join(f"{tree}\t{dist_info}\n" for tree, dist_info in trees.items()))
    os.replace(new, _LIST)


def _made_of(env):
    """Return the trees of an environment, and the distribution whose file stands there by path, where its user said so.

    The ways beside its site-packages lead to the trees (nix/builders/env.py).
    """
    try:
        said = _json(f"{env}/nix-support/nixgen-env.json")
    except FileNotFoundError:
        said = {}
    if "trees" in said:  # an environment of before there were ways
        return said["trees"], said["prefer"]
    beside = f"{env}/{os.path.dirname(_SITE)}"
    ways = [name for name in os.listdir(beside) if re.fullmatch(r"\.t[0-9]+", name)]
    return [os.readlink(f"{beside}/{name}") for name in sorted(ways, key=lambda name: int(name[2:]))], said


def _json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _dist_info(tree):
    return next(f"{_SITE}/{name}" for name in os.listdir(f"{tree}/{_SITE}") if name.endswith(".dist-info"))


def _users_own():
    """Return the names of what the user has installed."""
    found = [f"{_SITE}/{name}" for name in os.listdir(_SITE) if name.endswith(".dist-info")]
    return {_name(dist_info) for dist_info in found if not _was_placed(dist_info)}


def _was_placed(dist_info):
    """Tell whether a distribution is one that was placed here, perhaps in part: an installer writes a real file."""
    metadata = f"{dist_info}/METADATA"
    return os.path.islink(metadata) or not os.path.lexists(metadata)


def _name(dist_info):
    """Return the normalized name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", os.path.basename(dist_info).split("-")[0]).lower()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:  # no room, no rights, or somebody takes it away meanwhile: who has called this says so
        sys.exit(f"nixgen-venv: {error.filename}: {error.strerror}")
