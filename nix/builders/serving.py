"""What a Python source says of serving files: by what refuses links, or by their paths as written."""

import collections
import re

#: What one source says.
#:
#: refuses: whether it gives files of its own to what refuses links, or refuses them itself.
#: lends: whether it gives what it is handed to what refuses links.
#: gets: whether it asks for the content of files by package and path.
#: reads: whether it reads files, or serves them by their paths as written.
#: named: the names in its texts, which may be those of directories.
Serving = collections.namedtuple("Serving", "refuses lends gets reads named")

#: A source that has nothing to do with it.
NOTHING = Serving(refuses=False, lends=False, gets=False, reads=False, named=frozenset())

#: Names that say enough: handlers of Tornado's and Jupyter's, and Datasette's.
_REFUSING = (b"StaticFileHandler", b"FileFindHandler", b"asgi_static")

#: Names of what may be asked to follow links, or to serve a directory of the caller's: the syntax tree tells.
_PERHAPS = (b"StaticFiles", b"add_static", b".static(")

#: Names of answers, of what resolves links and of what compares paths: a source that has them all may refuse links.
_ANSWERS = (b"FileResponse", b"send_file")
_RESOLVERS = (b"resolve", b"realpath")
_COMPARING = (b"relative_to", b"commonpath", b"commonprefix", b"startswith", b"parents")

#: Names of what reads files, or serves links.
_READING = (
    *(b"read_text", b"read_bytes", b"open(", b"FileResponse", b"send_file", b"send_from_directory"),
    *(b"Flask(", b"Blueprint(", b"PackageLoader", b"FileSystemLoader", b"copytree", b"copyfile"),
)

#: A name between quotes, slashes, and the dots of a module's.
_NAME = rb"[\"'/.]([\w+-][\w.+-]*)(?=[\"'/])"

#: Keywords with which Starlette, aiohttp and Sanic follow links, and those of the directory.
_FOLLOW = frozenset(["follow_symlink", "follow_symlinks", "follow_external_symlink_files"])
_DIRECTORY = frozenset(["directory", "packages", "path", "file_or_directory"])


def look(content, reading=True):
    """Return what a source says, a ``Serving``.

    Args:
        content: the source, as bytes.
        reading: whether anybody asks for more than what refuses links.
    """
    answers = all(_has(content, words) for words in (_ANSWERS, _RESOLVERS, _COMPARING))
    refuses, lends = _ask(content, answers) if answers or _has(content, _PERHAPS) else (False, False)
    refuses = refuses or _has(content, _REFUSING) or (b"static_path" in content and b"tornado" in content)
    gets = reading and b"get_data" in content
    reads = gets or (reading and _has(content, _READING))
    # Where files are got by package and path, another source may name them.
    names = re.findall(_NAME, content) if refuses or reads or (reading and b"package" in content) else ()
    named = {name.decode("utf-8", "replace") for name in names}
    return Serving(refuses, lends, gets, reads, named.union(*(name.split(".") for name in named)))


def _has(content, words):
    return any(word in content for word in words)


def _ask(content, answers):
    """Return whether a source's syntax tree has a directory that refuses links, and one that it is handed.

    Args:
        content: the source.
        answers: whether it may refuse them by itself, where it resolves what nobody handed over.
    """
    import ast

    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False, False
    refusing, following = {"add_static", "static"}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_name(base).endswith("StaticFiles") for base in node.bases):
            (following if any(map(_follows, ast.walk(node))) else refusing).add(node.name)
    refuses = lends = False
    for call, handed, local in _calls(tree):
        name = _name(call.func)
        if (name in refusing or name.endswith("StaticFiles")) and name not in following and not _follows(call):
            for given in [word.value for word in call.keywords if word.arg in _DIRECTORY] + call.args[1:2]:
                own = not isinstance(given, ast.Name) or given.id not in handed
                refuses, lends = refuses or own, lends or not own
        refuses = refuses or (answers and _resolves(call, local))
    return refuses, lends


def _calls(tree):
    """Yield every call with the names that the functions around it are handed, and all that are local to them."""
    import ast

    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    stack = [(tree, frozenset(), frozenset())]
    while stack:
        node, handed, local = stack.pop()
        if isinstance(node, functions):
            arguments = node.args
            handed |= _handed([*arguments.posonlyargs, *arguments.args], arguments.defaults)
            handed |= _handed(arguments.kwonlyargs, arguments.kw_defaults)
            stored = (one for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
            local = local | handed | {one.id for one in stored}
        elif isinstance(node, ast.Call):
            yield node, handed, local
        stack += [(child, handed, local) for child in ast.iter_child_nodes(node)]


def _handed(arguments, defaults):
    """Return the names of arguments that are the caller's: those whose default is no place of the module's own."""
    import ast

    given = [None] * (len(arguments) - len(defaults)) + defaults
    return {
        argument.arg
        for argument, default in zip(arguments, given)  # noqa: B905 - `strict` is unknown to Python 3.9
        if argument.arg not in ("self", "cls") and (default is None or isinstance(default, ast.Constant))
    }


def _resolves(call, local):
    """Tell whether a call resolves links of what is neither handed over nor made on the spot."""
    import ast

    name = _name(call.func)
    if name.encode() not in _RESOLVERS:
        return False
    method = isinstance(call.func, ast.Attribute) and name == "resolve"
    nodes = [call.func.value] if method else list(call.args)
    for node in nodes:  # it grows on the way
        nodes += node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    return any(isinstance(node, ast.Name) and node.id not in local for node in nodes)


def _follows(node):
    """Tell whether a node is a call that asks for links to be followed."""
    import ast

    return isinstance(node, ast.Call) and any(
        word.arg in _FOLLOW and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in node.keywords
    )


def _name(node):
    """Return the last name of what is called, or derived from."""
    return getattr(node, "attr", None) or getattr(node, "id", "")
