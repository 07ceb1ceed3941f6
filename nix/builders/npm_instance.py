"""Make the store path of an instance of a package: its files, and beside them links to what it needs.

Node.js resolves a module's own path first and then looks in each ``node_modules`` upwards, so that what lies beside the
package is what it finds (Node.js, "Loading from node_modules folders").
"""

import os
import sys

import npm_archive

#: What a link of a project leads to, so that it has at most 59 characters.
SHORT = "p"


def build(attributes, out):
    """Make the directory ``out``, with one package, or with those of a cycle, each in a directory of its number.

    Args:
        attributes: ``packages``, of each its ``name``, ``archive`` (a path), ``bin`` (paths of its programs) and
            ``dependencies``: pairs of a path below node_modules and what it leads to: another path, or a number
        out: directory to make.

    Raises:
        SystemExit: an archive cannot be unpacked, with the package and what is wrong.
    """
    packages = attributes["packages"]
    alone = len(packages) == 1
    os.mkdir(out)
    for number, package in enumerate(packages):
        around = "" if alone else f"{number}/"
        directory = os.path.join(out, around, "node_modules", package["name"])
        os.makedirs(directory)
        os.symlink(f"{around}node_modules/{package['name']}", os.path.join(out, SHORT + ("" if alone else str(number))))
        try:
            _unpack(package["archive"], directory)
        except (ValueError, OSError) as error:
            sys.exit(
                f"nixgen: the archive of {package['name']} cannot be unpacked: {error}\n  where: {package['archive']}"
            )
        for path in package["bin"]:
            make_program(os.path.join(directory, path))
        for name, target in package["dependencies"]:
            _link(out, f"{around}node_modules/{name}", target)


def _unpack(archive, directory):
    made = set()
    for member, read in npm_archive.members(archive):
        path = os.path.join(directory, member.path)
        around = os.path.dirname(path)
        if around not in made:
            os.makedirs(around, exist_ok=True)
            made.add(around)
        if os.path.lexists(path):
            os.unlink(path)  # the last of two wins, as in npm
        with open(path, "xb") as file:
            while True:
                piece = read()
                if not piece:
                    break
                file.write(piece)
        # Nix takes the rest of the mode away.
        os.chmod(path, 0o755 if member.executable else 0o644)


def make_program(path):
    """Let a command's file be executable, and its first line end as systems want it (bin-links, ``lib/fix-bin.js``)."""
    if not os.path.isfile(path):
        return  # npm links to nothing then
    os.chmod(path, 0o755)
    with open(path, "rb") as file:
        start = file.read(2048)
        line, end, _ = start.partition(b"\n")
        if not (line.startswith(b"#!") and end and line.endswith(b"\r") and len(line) > 3):
            return
        content = start + file.read()
    with open(path, "wb") as file:
        file.write(line[:-1] + content[len(line) :])


def _link(out, place, target):
    os.makedirs(os.path.dirname(os.path.join(out, place)), exist_ok=True)
    if isinstance(target, int):
        target = "../" * place.count("/") + SHORT + str(target)
    os.symlink(target, os.path.join(out, place))
