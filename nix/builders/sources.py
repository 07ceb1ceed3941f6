"""What a Python source does with locations of modules: resolve its own, ask for another's, or hand out its own."""

import collections
import re

import serving
from locations import ANY, FORMS, LOADERS, OWN, PLAIN, RESOLVERS

#: What ``look`` finds in a Python source.
#:
#: resolves: whether it resolves a symbolic link on a module's location, or hands its own to code that may.
#: asks: whether it does so on another module's too.
#: imports: whether it can be run as a program and imports one of its neighbours.
#: handed_out: the names that hold its own unresolved location, for others to import.
#: resolved: the names on which it resolves links, whatever they hold.
#: loads: whether it resolves links and loads modules from paths: those of its package, as a rule.
#: skips: what it does with links (``skipping.Skips``), None where it asks for none.
#: copies: whether it copies files together with their modes.
#: inspects: whether it resolves links and asks ``ldd`` what libraries need, of any package, as freezers do.
#: serving: what it says of serving files, a ``serving.Serving``.
Seen = collections.namedtuple("Seen", "resolves asks imports handed_out resolved loads inspects skips serving copies")

_RESOLVERS = tuple(name.encode() for name in sorted(RESOLVERS))
_LINKS = (b"islink", b"is_symlink", b"O_NOFOLLOW")
_LOADERS = tuple(name.encode() for name in sorted(LOADERS))
#: Both of them, where the name of a location has two parts.
_LOCATION_PAIRS = ((b"inspect", b"stack"), (b"importlib", b"resources"))

# Regular expressions as ``re`` takes them: it compiles each when it is needed first, and many a tree needs none.

_LOCATION = rb"\b(?:%s|importlib_resources)\b" % b"|".join(name.encode() for name in sorted(OWN | ANY))
#: "To resolve the path": a name is followed by another word only where that is an operator or the like.
_PROSE = rb"[ \t]+(?!(?:and|as|async|else|for|from|if|in|is|not|or)\b)[A-Za-z]"
#: What stands within a statement between its words.
_GAP = rb"(?:[ \t\f]|\\(?:\r\n?|\n))"
#: The module of "from module.part import", or what follows an "import" that begins a statement; in texts too. A
#: relative import on one line gives neither.
_IMPORT = (
    rb"\bfrom[ \t\f]*\.[\w.\x80-\xff]*[ \t\f]*import\b"
    + rb"|\bfrom%b+([\w\x80-\xff]+)(?:[\w.\x80-\xff]*%b+import\b)?" % (_GAP, _GAP)
    + rb"|\bimport\b(?=((?:\\(?:\r\n?|\n)|[^\r\n;])*))"
)
#: What that lists: "first.part, second as name".
_LISTED = rb"(?:^|,)%b*([\w\x80-\xff]+)" % _GAP
#: load(__file__, base=Path(__file__)): what follows is an argument's end; of the first one, with the function's name.
_HANDED = rb"(?:(\w+)[ \t]*\(|[,=])\s*(?:(?:\w+\.)*(?:%s)\(\s*)?(?:%%s)\b[\s)]*(?:\.\w+\(\)\s*)?[,)]" % b"|".join(
    name.encode() for name in sorted(FORMS)
)
#: shutil.copy(template, path)
_COPIES = (
    rb"\bshutil[ \t]*\.[ \t]*(?:copy|copy2|copytree|copymode|copystat)\b|\bfrom[ \t]+shutil[ \t]+import\b[^\n]*\bcopy"
)
#: HERE = Path(__file__)
_EXPORT = rb"(?m)^(\w+)[ \t]*(?::[^=\n]*)?=([^\n]*\b__file__\b[^\n]*)"
#: What leads to a directory, which may be resolved.
_UP = rb"\b(?:parents?|dirname|split|stem|name|basename)\b"
#: How far before a word to look for the beginning of its line.
_LINE = 200
#: What stands around a resolver's name: HERE.resolve(), realpath(module.HERE)
_BEFORE = rb"(\w+)\s*\.\s*$"
_AFTER = rb"\s*\(\s*(?:\w+\s*\.\s*)*(\w+)\s*[,)]"


def look(content, neighbours=frozenset()):
    """Return what the rules of placement need of a Python source: a ``Seen``.

    ``resolves`` is true where the syntax tree has both a name of a location (``__file__``, a spec's origin,
    ``inspect.getfile``) and a name of something that resolves links, or where it hands ``__file__`` to a function that
    may resolve it: a copy too many costs bytes, a copy too few breaks a user.

    Args:
        content: the source, as bytes.
        neighbours: names of the modules that lie beside it.
    """
    resolvers = _find_words(content, _RESOLVERS)
    named = any(not _is_text(content, start, end) for start, end in resolvers)
    may_resolve = named and _may_name_location(content)
    may_load = named and any(name in content for name in _LOADERS)
    copies = b"shutil" in content and re.search(_COPIES, content) is not None
    may_skip = any(name in content for name in _LINKS)
    may_inspect = named and (b"'ldd'" in content or b'"ldd"' in content)
    may_import = _may_import(content, neighbours)
    handed_out = _handed_out(content)
    may_hand = _may_hand(content, handed_out)
    resolves = asks = loads = imports = inspects = False
    skips = None
    # Of 4,571 sources, 30 need a syntax tree.
    if may_resolve or may_load or may_import or may_hand or may_inspect or may_skip:
        from syntax import read

        said = read(content)
        resolves = (may_resolve and said.resolves) or (may_hand and said.hands)
        asks, loads = may_resolve and said.asks, may_load and said.loads
        skips = said.skips
        inspects = may_inspect and said.inspects
        imports = may_import and not neighbours.isdisjoint(said.imported)
    names = _resolved_names(content, resolvers)
    return Seen(resolves, asks, imports, handed_out, names, loads, inspects, skips, serving.NOTHING, copies)


def _find_words(content, names):
    """Return where a source has some names as words: pairs of start and end. A search for each of them is quickest."""
    found = []
    for name in names:
        start = content.find(name)
        while start >= 0:
            end = start + len(name)
            if not re.match(rb"\w", content[start - 1 : start]) and not re.match(rb"\w", content[end : end + 1]):
                found.append((start, end))
            start = content.find(name, end)
    return found


def _is_text(content, start, end):
    """Tell whether a word of a source is surely no name: prose, the end of a string, or in a line of comment."""
    if re.compile(_PROSE).match(content, end) or content[end : end + 1] in (b"'", b'"'):
        return True
    line = re.split(rb"[\r\n]", content[max(0, start - _LINE) : start])
    # A string of several lines may end in one that begins like a comment, and an f-string has names in one (braces).
    return len(line) > 1 and line[-1].lstrip().startswith(b"#") and not re.search(rb"[{'\"]", line[-1])


def _may_name_location(content):
    return bool(re.search(_LOCATION, content)) or any(
        first in content and second in content for first, second in _LOCATION_PAIRS
    )


def _may_import(content, neighbours):
    """Tell whether a source that can be run as a program has the name of a neighbour where it imports something.

    Python takes the directory of a program that is run by its path from where the path leads to: under a link, the
    modules beside it are not found there.
    """
    if not neighbours or b"__main__" not in content:
        return False
    for module, listed in re.findall(_IMPORT, content):
        for name in [module] if module else re.findall(_LISTED, listed):
            # A name with other letters is not always the one that it is written as (NFKC).
            if not name.isascii() or name.decode() in neighbours:
                return True
    return False


def _may_hand(content, handed_out):
    """Tell whether a source seems to hand its location, or what holds that (``handed_out``), to another function."""
    if b"__file__" not in content and b"__spec__" not in content:
        return False
    names = b"|".join([rb"__file__", rb"__spec__\s*\.\s*origin", *sorted(handed_out)])
    for match in re.finditer(rb"\b(?:%s)\b" % names, content):
        around = content[max(0, match.start() - _LINE) : match.end() + _LINE]
        if any(name.decode("utf-8", "replace") not in PLAIN for name in re.findall(_HANDED % names, around)):
            return True
    return False


def _handed_out(content):
    """Return the names of a module that hold its own unresolved location, for others to import."""
    if b"__file__" not in content:
        return frozenset()
    return frozenset(match[1] for match in re.finditer(_EXPORT, content) if not re.search(_UP, match[2]))


def _resolved_names(content, resolvers):
    """Return the names on which a source resolves links, whatever they hold.

    Args:
        content: the source.
        resolvers: where it has the names of what resolves.
    """
    found = set()
    for start, end in resolvers:
        sides = re.search(_BEFORE, content[max(0, start - 100) : start]), re.match(_AFTER, content[end : end + 100])
        found.update(side[1] for side in sides if side)
    for line in content.splitlines() if found else ():
        if b" as " in line:
            words = line.replace(b",", b" ").replace(b")", b" ").split()
            found.update(
                words[at - 1] for at in range(1, len(words) - 1) if words[at] == b"as" and words[at + 1] in found
            )
    return frozenset(found)
