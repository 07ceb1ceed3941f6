"""Pack files of a Git commit as the archive of a package of npm.

npm packs them itself each time that it installs such a package, and what gzip makes of them depends on its Node.js: npm
compares no hash of it (npm/rfcs#525). Here the same files give the same bytes, and nothing is compressed.
"""

import json
import os
import stat
import tarfile


def build(attributes, out):
    """Write the archive ``out``.

    Args:
        attributes: ``source``, the directory of the commit's files, and ``files``, as ``pack`` takes them.
        out: the file to write.
    """
    pack(attributes["source"], attributes["files"], out)


def pack(source, files, out):
    """Write the archive of some files of a directory, which lie in ``package`` there, as npm has it.

    Args:
        source: the directory.
        files: paths below it; of one that ends in "/", all files below that; none is for all that there are.
        out: the file to write.

    Raises:
        OSError: one is not there.
    """
    with tarfile.open(out, "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as archive:
        for path in sorted(_named(source, files), key=os.fsencode):
            place = os.path.join(source, path)
            said = os.lstat(place)
            member = tarfile.TarInfo(f"package/{path}")
            member.size = said.st_size
            member.mode = 0o755 if said.st_mode & 0o100 else 0o644
            with open(place, "rb") as file:
                archive.addfile(member, file)


def regular(source, below=""):
    """Yield the paths of the files below a directory, relative to ``source``: no link's, as npm packs none."""
    with os.scandir(os.path.join(source, below)) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from regular(source, path)
            elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                yield path


def _named(source, files):
    if not files:
        yield from regular(source)
    for path in files:
        if path.endswith("/"):
            yield from regular(source, path[:-1])
        else:
            yield path


if __name__ == "__main__":
    with open(os.environ["attributesPath"], encoding="utf-8") as said:  # noqa: SIM112 - the names are Nix's
        build(json.load(said), os.environ["out"])  # noqa: SIM112
