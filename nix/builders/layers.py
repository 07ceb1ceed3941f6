"""Layers of an image: which store paths share one, and their archives, which hold no trace of where they were made."""

import hashlib
import io
import os
import stat
import tarfile

import manifest

#: What every file of a store has.
_MTIME = 1


def read_graph(path):
    """Return what Nix wrote for ``exportReferencesGraph``: the references of each store path of a closure.

    The file has lines for each path: the path, its derivation, the number of its references, and these.
    """
    references = {}
    with open(path, encoding="utf-8") as file:
        lines = iter(file.read().splitlines())
    for line in lines:
        next(lines)
        references[line] = [next(lines) for _ in range(int(next(lines)))]
    return references


def closure(references, roots):
    """Return the set of the store paths that some of them need, these among them."""
    found, waiting = set(), list(roots)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += references[path]
    return found


def plan(references, *, base, common, env, top, limit):
    """Return the layers of an image, lowest first, as pairs of what it is and its store paths, sorted.

    A layer depends on what it is alone and not on its neighbours, so that images share it: a tree's layer has all
    leaves of the tree, even where another's has some of them too.

    Args:
        references: of each store path.
        base, common, top: store paths that the image holds with what they need: the interpreter, what an environment
            does not bring, and what is there for this image alone.
        env: store path of the environment.
        limit: the number of layers at most; the smallest trees share one.
    """
    interpreter = closure(references, base)
    parts = closure(references, [env])
    trees = {path: closure(references, [path]) - interpreter for path in parts if _is_tree(path)}
    shared = closure(references, [env, *common]).difference(interpreter, [env], *trees.values())
    application = closure(references, top).difference(interpreter, shared, parts)
    layers = [("interpreter", interpreter), *([("what environments share", shared)] if shared else [])]
    last = [("environment", {env}), *([("application", application)] if application else [])]
    ordered = sorted(trees, key=lambda tree: (-sum(map(_size, trees[tree])), _name(tree), tree))
    room = max(0, limit - len(layers) - len(last))
    single = ordered if len(ordered) <= room else ordered[: max(0, room - 1)]
    # Those that are merged come first: a change among them moves no other.
    merged = set().union(*(trees[tree] for tree in ordered[len(single) :]))
    if merged:
        layers.append(("small packages", merged))
    layers += [(_name(tree), trees[tree]) for tree in single]
    return [(name, sorted(paths)) for name, paths in layers + last]


def write(file, paths, entries=()):
    """Write a layer, uncompressed: its digest depends on no compressor.

    Args:
        file: where to write bytes.
        paths: store paths, which the layer holds whole.
        entries: ``tarfile.TarInfo`` of further directories and links.

    Returns:
        the SHA-256 of the layer, in hexadecimal.
    """
    hashing = _Hashing(file)
    with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        made = set()
        for path in paths:
            for parent in _parents(path):
                if parent not in made:
                    made.add(parent)
                    archive.addfile(directory(parent, 0o755))
            _add(archive, path)
        for entry in entries:
            archive.addfile(entry)
    return hashing.digest.hexdigest()


def directory(path, mode):
    """Return an entry for a directory."""
    entry = _entry(path, mode)
    entry.type = tarfile.DIRTYPE
    return entry


def link(path, target):
    """Return an entry for a symbolic link."""
    entry = _entry(path, 0o777)
    entry.type = tarfile.SYMTYPE
    entry.linkname = target
    return entry


def _entry(path, mode):
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.mode = mode
    entry.mtime = _MTIME
    return entry


def _add(archive, path):
    # By hand, for tarfile would look for hard links, and whether a store has them is chance.
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        archive.addfile(link(path, os.readlink(path)))
    elif stat.S_ISDIR(status.st_mode):
        archive.addfile(directory(path, 0o555))
        for name in sorted(os.listdir(path)):
            _add(archive, os.path.join(path, name))
    else:
        entry = _entry(path, 0o555 if status.st_mode & stat.S_IXUSR else 0o444)
        entry.size = status.st_size
        with open(path, "rb") as content:
            archive.addfile(entry, content)


def _parents(path):
    parent = os.path.dirname(path)
    return [*_parents(parent), parent] if parent != "/" else []


def _is_tree(path):
    return os.path.exists(os.path.join(path, manifest.PATH))


def _size(path):
    """Return the bytes of the files of a store path."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(
        os.lstat(os.path.join(directory, name)).st_size for directory, _, names in os.walk(path) for name in names
    )


def _name(path):
    """Return the name of a store path, without its hash."""
    return os.path.basename(path)[33:]


class _Hashing(io.RawIOBase):
    """A file that hashes what is written to another."""

    def __init__(self, file):
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self):
        return True

    def write(self, data):
        self.digest.update(data)
        return self._file.write(data)
