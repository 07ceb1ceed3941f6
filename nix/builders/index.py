"""A wheel's index: what the wheel holds, as bytes that are the same whoever makes them (docs/lock-format.md).

Builds describe a wheel that they unpack, nixgen one of which it has read a few kilobytes, and both with this. Standard
library only, for any Python from 3.8 on; nothing else of this directory is imported, so that nixgen can.
"""

import json
import posixpath

FORMAT = 1

#: The groups of entry points that become commands, and what the index calls them.
COMMANDS = {"console_scripts": "console", "gui_scripts": "gui"}

#: Files of ``.dist-info`` that an installer writes, never a wheel: left out where a wheel ships them.
WRITTEN_BY_INSTALLERS = ("INSTALLER", "REQUESTED", "direct_url.json")

#: Below this many bytes, a copy of a program costs less than one more build (measured: 60 ms).
WORTH_SHARING = 1 << 20

#: Where programs lie beside the directories that hold what they read: ../share, ../lib.
_PROGRAM_DIRECTORIES = frozenset(["bin", "sbin", "libexec", "scripts"])

#: What no program reads of what lies around it.
_NOT_READ = (".py", ".pyi", ".typed", ".md", ".rst", ".txt")
_NOTES = ("README", "LICENSE", "LICENCE", "COPYING", "NOTICE")

#: What has an x bit by mistake.
_NO_PROGRAM = (".py", ".so", ".dylib", ".dll", ".pyd", ".a", ".jar", ".js", ".node", ".exe")


class Member:
    """One regular file of a wheel's archive.

    Attributes:
        size: uncompressed, in bytes.
        executable: whether the archive gives it any x bit.
        sha256: SHA-256 of its content, 44 characters of base64; any text for an empty file.
    """

    __slots__ = ("executable", "sha256", "size")

    def __init__(self, size, executable, sha256=""):
        self.size = size
        self.executable = executable
        self.sha256 = sha256


def to_bytes(members, dist_info, data_dir, commands):
    """Return the index of a wheel.

    JSON in UTF-8 with no space between its parts; each file and each directory begins a line, so that an index can be
    compared with that of another release line by line. Names are sorted by their code points.

    Args:
        members: each ``Member`` of an installation by its path in the archive.
        dist_info: name of the wheel's ``.dist-info`` directory.
        data_dir: name of its ``.data`` directory; None or "" where it has none.
        commands: pairs of name and object reference by what ``COMMANDS`` calls their group.
    """
    top = {"index": FORMAT, "distInfo": dist_info}
    if data_dir:
        top["dataDir"] = data_dir
    scripts = {kind: dict(sorted(commands[kind].items())) for kind in sorted(commands) if commands[kind]}
    if scripts:
        top["scripts"] = scripts
    tree = {}
    alone = standing_alone(members)
    for path, member in members.items():
        *directories, name = path.split("/")
        node = tree
        for directory in directories:
            node = node.setdefault(directory, {})
        node[name] = _entry(member, path in alone)
    lines = ["{" + ",\n".join(f"{_json(key)}:{_json(value)}" for key, value in top.items())]
    lines.append(',\n"files":{\n' + _lines(tree) + "\n}}\n")
    return "".join(lines).encode("utf-8")


def _entry(member, alone):
    if not member.size:
        return ""
    marks = ["x", "alone"] if alone else ["x"] if member.executable else []
    return [member.sha256, member.size, *marks]


def _lines(directory):
    return ",\n".join(
        f"{_json(name)}:" + (f"{{\n{_lines(entry)}\n}}" if isinstance(entry, dict) else _json(entry))
        for name, entry in sorted(directory.items())
    )


#: Made once: ``json.dumps`` makes one for each call.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def commands_of(text):
    """Return what an entry_points.txt defines, in its order: each group, name and value.

    Read as ``importlib.metadata`` reads it from Python 3.10 on, which is what an installed environment does; but lines
    that begin with ";" are comments, as in the format that the specification names (``configparser``), and to uv. pip
    makes a command called "; name" of such a line, or fails.

    Args:
        text: its content.

    Raises:
        ValueError: a line of a section has no "=".
    """
    found = []
    section = None
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section is not None:
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"a line without '=': {line}")
            found.append((section, name.strip(), value.strip()))
    return found


def reference_of(value):
    """Return the object reference of an entry point's value, ``package.module:attribute``, without extras or spaces."""
    if value.rstrip().endswith("]") and "[" in value:
        value = value[: value.rindex("[")]
    module, _, attribute = value.partition(":")
    return f"{module.strip()}:{attribute.strip()}"


def left_out(paths, dist_info, data_dir, commands):
    """Return the files that no installation has: an installer's own, and scripts that an entry point makes.

    Args:
        paths: every regular file's path in the archive.
        dist_info, data_dir: as ``to_bytes`` takes them.
        commands: names of the commands that entry points make.
    """
    own = {f"{dist_info}/{name}" for name in WRITTEN_BY_INSTALLERS}
    # as pip does: a launcher that the wheel carries gives way to the entry point of its name
    launchers = {f"{data_dir}/scripts/{name}" for name in commands} if data_dir else set()
    return {path for path in paths if path in own or path in launchers}


def standing_alone(members):
    """Return the large executable files that have nothing around them that they could look for.

    A leaf has no x bit, so a program is a copy in its wheel's tree, and every version of the wheel would have its own.
    Some that are large look for no file by their own path: they become store paths of their own, which all trees link
    to. Programs were 24 % of the bytes of 291 wheels, three of them 17 %: ffmpeg, and Node.js twice. Whether they are
    programs only their content tells, which the tree builder sees.

    Args:
        members: each ``Member`` by its path in the archive.
    """
    return frozenset(
        path
        for path, member in members.items()
        if member.executable and member.size >= WORTH_SHARING and _may_be_program(path)
        if not any(_is_read(other) for other in _around(path, members) if members[other].size)
    )


def _may_be_program(path):
    name = posixpath.basename(path)
    return not name.endswith(_NO_PROGRAM) and ".so." not in name


def _is_read(path):
    return not path.endswith(_NOT_READ) and not posixpath.basename(path).startswith(_NOTES)


def _around(path, members):
    """Return the other files in which a program could find something by its own path."""
    home, name = posixpath.split(path)
    root = posixpath.dirname(home) if posixpath.basename(home) in _PROGRAM_DIRECTORIES else home
    if name == "node":  # Node.js finds npm and its modules by its own path, and nothing else of what it runs
        modules = (f"{home}/node_modules/", f"{root}/node_modules/", f"{root}/lib/node_modules/")
        return [other for other in members if other.startswith(modules)]
    prefix = f"{root}/" if root else ""
    return [other for other in members if other != path and other.startswith(prefix)]
