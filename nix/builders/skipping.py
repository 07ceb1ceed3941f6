"""Whether a Python source passes over links, or refuses them, where it looks for files of its package."""

import ast
import collections

from locations import ANY, OWN

#: What tells a link from a file, or opens no link.
NAMES = frozenset(["islink", "is_symlink", "O_NOFOLLOW"])

#: What a source does with links.
#:
#: beside: whether it asks of paths that start from its own location whether they are links.
#: lists: whether it lists directories that it knows otherwise, and passes over links in them.
#: guards: names of its functions that ask so of paths which they are given.
Skips = collections.namedtuple("Skips", "beside lists guards")
NOTHING = Skips(beside=False, lists=False, guards=frozenset())

_LISTS = frozenset(["listdir", "scandir", "walk", "fwalk", "glob", "iglob", "rglob", "iterdir"])
_RESOURCES = ("importlib.resources", "importlib_resources")

#: What is done to files that are somebody else's: a loop with one of these looks for none of its package.
_CHANGES = frozenset(
    [
        *("chmod", "chown", "copy", "copy2", "copyfile", "copytree", "lchmod", "lchown", "link", "move", "remove"),
        *("rename", "rmdir", "rmtree", "symlink", "symlink_to", "unlink", "utime"),
    ]
)


def skips(tree):
    """Return what a source does with links: ``Skips``.

    Args:
        tree: its syntax tree.
    """
    code = _Code(tree)
    beside, *inside = [_asks(nodes, known) for nodes, known in code.scopes()]
    others = [function for function, asks in zip(code.functions, inside) if not asks]  # noqa: B905 - see tree._rows
    return Skips(
        beside=beside or any(inside),
        lists=any(_lists_without_links(function) for function in others),
        guards=frozenset(
            function.name
            for function in code.functions
            if not function.name.startswith("__") and _asks(*code.scope(function, _parameters(function)))
        ),
    )


def hands(content, guards):
    """Tell whether a source gives paths that start from its own location to a function of some names.

    Args:
        content: the source, as bytes.
        guards: the names.
    """
    if not (_may_name_location(content) and any(name.encode() in content for name in guards)):
        return False
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(node, ast.Call) and not guards.isdisjoint(_called(node)) and _given(node, known)
        for nodes, known in _Code(tree).scopes()
        for node in nodes
    )


class _Code:
    """A source, and which of its names may hold paths that start from its own location."""

    def __init__(self, tree):
        self.functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        inside = {id(node) for function in self.functions for part in function.body for node in ast.walk(part)}
        self._top = [node for node in ast.walk(tree) if id(node) not in inside]
        locations = (OWN | ANY) - {"origin"}
        if any(isinstance(node, ast.ImportFrom) and node.module in _RESOURCES for node in self._top) or any(
            isinstance(node, ast.alias) and node.name in (*_RESOURCES, "resources") for node in self._top
        ):
            locations |= {"files"}
        self._known = _spread(self._top, set(locations))

    def scope(self, function, names):
        """Return the nodes of a function, and the names in it that hold such paths where some of its own do."""
        nodes = [node for part in function.body for node in ast.walk(part)]
        return nodes, _spread(nodes, set(names))

    def scopes(self):
        """Return the nodes of each scope, the module's and the functions', with the names that hold such paths."""
        given, before = set(), -1
        while len(given) > before:
            before = len(given)
            found = [(self._top, self._known)]
            for function in self.functions:
                own = _parameters(function)
                found.append(self.scope(function, self._known | own if function.name in given else self._known - own))
            for nodes, known in found:
                calls = [node for node in nodes if isinstance(node, ast.Call) and _given(node, known)]
                given.update(name for call in calls for name in _called(call))
        return found


def _may_name_location(content):
    return any(name.encode() in content for name in (*sorted(OWN), "getfile", "getsourcefile", "resources"))


def _names(node):
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
    return found


def _parameters(function):
    arguments = function.args
    return {each.arg for each in [*arguments.args, *arguments.kwonlyargs]} - {"self", "cls"}


def _called(call):
    if isinstance(call.func, ast.Name):
        return {call.func.id}
    return {call.func.attr} if isinstance(call.func, ast.Attribute) else set()


def _given(call, known):
    return any(not known.isdisjoint(_names(each)) for each in [*call.args, *call.keywords])


def _asks(nodes, known):
    """Tell whether some nodes ask whether a path is a link, of one that some names hold."""
    for node in nodes:
        if isinstance(node, ast.Call):
            asks = not NAMES.isdisjoint(_called(node)) or any("O_NOFOLLOW" in _names(each) for each in node.args)
            if asks and not known.isdisjoint(_names(node)):
                return True
    return False


def _spread(nodes, known):
    """Return some names with those that are made of them: ``path = HERE / name``, ``for name in listdir(HERE)``."""
    before = -1
    while len(known) > before:
        before = len(known)
        for node in nodes:
            if isinstance(node, (ast.For, ast.comprehension)):
                targets, value = [node.target], node.iter
            elif isinstance(node, ast.withitem):
                targets, value = [node.optional_vars], node.context_expr
            elif isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
                targets, value = [node.target], node.value
            else:
                continue
            if value is not None and not known.isdisjoint(_names(value)):
                known.update(name for target in targets for name in _targets(target))
    return known


def _targets(target):
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for each in target.elts for name in _targets(each)]
    return []


def _lists_without_links(function):
    """Tell whether a function lists directories and takes only what is no link."""
    if _LISTS.isdisjoint(_names(function)):
        return False
    for node in ast.walk(function):
        if isinstance(node, ast.comprehension) and any(False in _wanted(test, True) for test in node.ifs):
            return True
        if isinstance(node, ast.For) and _CHANGES.isdisjoint(_names(node)):
            for inner in ast.walk(node):
                if isinstance(inner, ast.If):
                    leaves = any(isinstance(each, ast.Continue) for each in inner.body)
                    if leaves in _wanted(inner.test, True):
                        return True
    return False


def _wanted(test, wanted):
    """Return what a condition wants of links: True where it is met by one, False where by what is none."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _wanted(test.operand, not wanted)
    if isinstance(test, ast.Call) and not NAMES.isdisjoint(_called(test)):
        return {wanted}
    return set().union(*(_wanted(inner, wanted) for inner in ast.iter_child_nodes(test)))
