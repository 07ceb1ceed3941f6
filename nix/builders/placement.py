"""How one file of a wheel gets into a tree: as a link to its leaf, or as a copy, and why.

Under a link, what resolves its own path finds ``/nix/store/…-file.py`` and no neighbours. Each rule here answers a
failure that was seen; each has a name that users see. The rules look at content, which is here and not in the lock:
reading every Python source while locking would cost a fifth of the wheels' bytes (20.5 % measured over 30 wheels).
"""

import ast
import re

#: ELF: the program header type of a program's interpreter, which shared libraries do not have.
_PT_INTERP = 3

#: What resolves a symbolic link.
_RESOLVERS = frozenset(["resolve", "realpath", "readlink", "samefile"])

#: What names a module's own location.
_LOCATIONS = frozenset(
    [
        "__file__",
        "__path__",
        "__spec__",
        "__loader__",
        "origin",
        "getfile",
        "getsourcefile",
        "getabsfile",
        "co_filename",
    ]
)

_RESOLVER_BYTES = tuple(name.encode() for name in _RESOLVERS)
_LOCATION_BYTES = tuple(name.encode() for name in _LOCATIONS)
_RESOLVER_WORD = re.compile(rb"\b(?:" + b"|".join(sorted(_RESOLVER_BYTES)) + rb")\b")
_LOCATION_WORD = re.compile(rb"\b(?:" + b"|".join(sorted(_LOCATION_BYTES)) + rb")\b")


def reasons(path, content, executable):
    """Say why a file must be a copy: a list of reasons, empty where a link does.

    Args:
        path: the file's path in the wheel.
        content: its bytes.
        executable: whether the archive marks it executable, or the wheel installs it as a script.

    Returns:
        Some of ``executable`` (a program: the copy gets the x bit) and ``resolves-itself`` (Python source that resolves
        a link on its own location).
    """
    found = []
    if executable and is_program(content):
        found.append("executable")
    if path.endswith((".py", ".pyw")) and resolves_itself(content):
        found.append("resolves-itself")
    return found


def is_program(content):
    """Tell whether a file that is marked executable is a program.

    A script with ``#!`` or an ELF file that asks for an interpreter or is no shared library; not the stray x bits that
    many wheels have on libraries and sources.
    """
    if content[:2] == b"#!":
        return True
    if content[:4] != b"\x7fELF" or len(content) < 64:
        return False
    return _has_interpreter(content) or int.from_bytes(content[16:18], _order(content)) == 2  # ET_EXEC


def _order(content):
    return "little" if content[5] == 1 else "big"


def _has_interpreter(content):
    order = _order(content)
    wide = content[4] == 2
    table = int.from_bytes(content[32:40] if wide else content[28:32], order)
    size = int.from_bytes(content[54:56] if wide else content[42:44], order)
    count = int.from_bytes(content[56:58] if wide else content[44:46], order)
    kinds = (int.from_bytes(content[table + i * size : table + i * size + 4], order) for i in range(count))
    return _PT_INTERP in kinds


def resolves_itself(content):
    """Tell whether a Python source resolves a symbolic link on a module's own location.

    True where the syntax tree has both a name of a location (``__file__``, a spec's origin, ``inspect.getfile``) and a
    call of something that resolves links: a copy too many costs bytes, a copy too few breaks a user. What does not
    parse does not run either.
    """
    # Most files are done here, without a syntax tree: first by substrings, which are found soonest, then by words,
    # since many a source has "resolver" and "original" (of 4,862, substrings leave 166 and words 36).
    if not any(name in content for name in _RESOLVER_BYTES) or not any(name in content for name in _LOCATION_BYTES):
        return False
    if not _RESOLVER_WORD.search(content) or not _LOCATION_WORD.search(content):
        return False
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    located = resolved = False
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            located = located or node.id in _LOCATIONS
            resolved = resolved or node.id in _RESOLVERS
        elif isinstance(node, ast.Attribute):
            located = located or node.attr in _LOCATIONS
            resolved = resolved or node.attr in _RESOLVERS
        elif isinstance(node, ast.alias):
            located = located or node.name in _LOCATIONS
            resolved = resolved or node.name in _RESOLVERS
    return located and resolved
