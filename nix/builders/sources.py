"""What a Python source does with locations of modules: resolve its own, ask for another's, or hand out its own."""

import ast
import re
import sys

#: What resolves a symbolic link.
_RESOLVERS = frozenset(["resolve", "realpath", "readlink", "samefile"])

#: What names a module's own location, and what another's too.
_OWN = frozenset(["__file__", "__path__", "__spec__", "__loader__", "co_filename", "extract_stack"])
_ANY = frozenset(
    [
        "origin",
        "submodule_search_locations",
        "getfile",
        "getsourcefile",
        "getabsfile",
        "get_filename",
        "resource_filename",
    ]
)
_LOCATIONS = _OWN | _ANY

#: What loads a module from the path that it is given.
_LOADERS = frozenset(["spec_from_file_location", "ExtensionFileLoader", "create_dynamic", "load_dynamic"])

#: Modules whose import alone counts as naming a location; their functions have everyday names.
_RESOURCES = frozenset(["importlib.resources", "importlib_resources"])


def _words(names):
    return re.compile(rb"\b(?:" + b"|".join(name.encode() for name in sorted(names)) + rb")\b")


_RESOLVER_BYTES = tuple(name.encode() for name in sorted(_RESOLVERS))
_LOADER_BYTES = tuple(name.encode() for name in sorted(_LOADERS))
_LOCATION_BYTES = tuple(name.encode() for name in sorted(_LOCATIONS | {"resources", "stack"}))
_RESOLVER_WORD = _words(_RESOLVERS)
_LOCATION_WORD = _words(_LOCATIONS | {"resources", "importlib_resources", "stack"})

#: HERE = Path(__file__)
_EXPORT = re.compile(rb"^(\w+)[ \t]*(?::[^=\n]*)?=([^\n]*\b__file__\b[^\n]*)", re.MULTILINE)
#: What leads to a directory, which may be resolved.
_UP = re.compile(rb"\b(?:parents?|dirname|split|stem|name|basename)\b")
#: What stands around a resolver's name: HERE.resolve(), realpath(module.HERE)
_BEFORE = re.compile(rb"(\w+)\s*\.\s*$")
_AFTER = re.compile(rb"\s*\(\s*(?:\w+\s*\.\s*)*(\w+)\s*[,)]")


def imports_as_program(content):
    """Return what a source imports absolutely of other than the standard library, if it can be run as a program.

    Python takes the directory of a program that is run by its path from where the path leads to: under a link, the
    modules beside it are not found there.
    """
    if b"__main__" not in content:
        return set()
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    # A package's typing.py or json is not what a neighbour means.
    return found - getattr(sys, "stdlib_module_names", frozenset())


def resolves(content):
    """Tell whether a Python source resolves a symbolic link on a module's location: ``(does, another's too)``.

    True where the syntax tree has both a name of a location (``__file__``, a spec's origin, ``inspect.getfile``) and a
    name of something that resolves links: a copy too many costs bytes, a copy too few breaks a user. What does not
    parse does not run either.
    """
    # Most files are done here, without a syntax tree: first by substrings, which are found soonest, then by words,
    # since many a source has "resolver" and "original" (of 4,862, substrings leave 166 and words 36).
    if not any(name in content for name in _RESOLVER_BYTES) or not any(name in content for name in _LOCATION_BYTES):
        return False, False
    if not _RESOLVER_WORD.search(content) or not _LOCATION_WORD.search(content):
        return False, False
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False, False
    own = another = resolved = False
    for node in ast.walk(module):
        own = own or _names_own(node)
        another = another or _names_another(node)
        resolved = resolved or not _RESOLVERS.isdisjoint(_names(node))
    return (own or another) and resolved, another and resolved


def loads_resolved(content):
    """Tell whether a Python source resolves links and loads modules from paths: those of its package, as a rule."""
    if not any(name in content for name in _LOADER_BYTES) or not _RESOLVER_WORD.search(content):
        return False
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = {name for node in ast.walk(module) for name in _names(node)}
    return not names.isdisjoint(_LOADERS) and not names.isdisjoint(_RESOLVERS)


def _names(node):
    """Return the names that a node of a syntax tree uses: not those that it defines, nor what strings say."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    return (node.name,) if isinstance(node, ast.alias) else ()


def _names_own(node):
    if isinstance(node, ast.Attribute) and node.attr == "stack":
        return isinstance(node.value, ast.Name) and node.value.id == "inspect"
    return not _OWN.isdisjoint(_names(node))


def _names_another(node):
    if isinstance(node, ast.Attribute) and node.attr in ("__file__", "__path__"):
        return True
    if isinstance(node, ast.Constant):
        return node.value == "__file__"  # getattr(module, "__file__"), vars(module)["__file__"]
    if isinstance(node, ast.Import):
        return any(alias.name in _RESOURCES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return module in _RESOURCES or any(f"{module}.{alias.name}" in _RESOURCES for alias in node.names)
    return not _ANY.isdisjoint(_names(node))


def handed_out(content):
    """Return the names of a module that hold its own unresolved location, for others to import."""
    if b"__file__" not in content:
        return frozenset()
    return frozenset(match[1] for match in _EXPORT.finditer(content) if not _UP.search(match[2]))


def resolved_names(content):
    """Return the names on which a source resolves links, whatever they hold."""
    if not any(name in content for name in _RESOLVER_BYTES):
        return frozenset()
    found = set()
    for match in _RESOLVER_WORD.finditer(content):
        around = (
            _BEFORE.search(content[max(0, match.start() - 100) : match.start()]),
            _AFTER.match(content[match.end() : match.end() + 100]),
        )
        found.update(side[1] for side in around if side)
    for line in content.splitlines() if found else ():
        if b" as " in line:
            words = line.replace(b",", b" ").replace(b")", b" ").split()
            found.update(
                words[at - 1] for at in range(1, len(words) - 1) if words[at] == b"as" and words[at + 1] in found
            )
    return frozenset(found)
