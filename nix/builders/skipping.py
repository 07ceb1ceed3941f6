"""Whether a Python source passes over links, or refuses them, where it looks for files of its package."""

import ast
import collections

from locations import ANY, LOADERS, OWN

#: What tells a link from a file, or opens no link.
NAMES = frozenset(["islink", "is_symlink", "O_NOFOLLOW"])

#: What a source does with links.
#:
#: beside: whether it asks of paths that start from its own location whether they are links.
#: lists: whether it lists directories that it knows otherwise, and passes over links in them.
#: given: whether all that it lists so is what its functions are given, a user's directories as a rule.
#: guards: names of its functions that ask so of paths which they are given.
Skips = collections.namedtuple("Skips", "beside lists given guards")
NOTHING = Skips(beside=False, lists=False, given=False, guards=frozenset())

_LISTS = frozenset(["listdir", "scandir", "walk", "fwalk", "glob", "iglob", "rglob", "iterdir"])
_RESOURCES = frozenset(["importlib.resources", "importlib_resources", "resources"])
_LOCATIONS = (OWN | ANY) - {"origin"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

#: What is done to files that are somebody else's: a loop with one of these looks for none of its package.
_CHANGES = frozenset(
    [
        *("chmod", "chown", "copy", "copy2", "copyfile", "copytree", "lchmod", "lchown", "link", "move", "remove"),
        *("rename", "rmdir", "rmtree", "symlink", "symlink_to", "unlink", "utime"),
    ]
)

_MODULES = frozenset(["glob", "os", "path", "pathlib", "shutil"])

#: What loads a module that has been found: by its path, or by a name made of it.
_LOADS = LOADERS | {"SourceFileLoader", "__import__", "exec_module", "import_module", "load_source", "run_path"}


def skips(nodes):
    """Return what a source does with links: ``Skips``.

    Args:
        nodes: all nodes of its syntax tree, the module first.
    """
    treated = set().union(*map(_treated, nodes))
    asked = [node for node in nodes if isinstance(node, ast.Call) and _asks(node) and node not in treated]
    if not asked:
        return NOTHING
    functions = [node for node in nodes if isinstance(node, _FUNCTIONS)]
    asking = [function for function in functions if any(_holds(function, node) for node in asked)]
    # Most sources name no location.
    beside = _Known(nodes[0], functions, treated).asking() if any(map(_may_locate, nodes)) else set()
    lists = [function for function in asking if function not in beside and _lists_without_links(function)]
    return Skips(
        beside=bool(beside),
        lists=bool(lists),
        given=bool(lists) and all(_lists_given(function, treated) for function in lists),
        guards=frozenset(
            function.name
            for function in asking
            if not function.name.startswith("__") and _Scope(function.body, treated=treated).asks(_parameters(function))
        ),
    )


def hands(content, guards):
    """Tell whether a source gives paths that start from its own location to a function of some names.

    Args:
        content: the source, as bytes.
        guards: the names.
    """
    if not (_may_name_location(content) and any(name.encode() + b"(" in content for name in guards)):
        return False
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    known = _Known(tree, [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)])
    return not guards.isdisjoint(known.given)


def finds_modules(content):
    """Tell whether a source lists directories around modules' locations and loads modules, as loaders of plugins do."""
    import re

    if not _may_name_location(content):
        return False
    listing, loading = ("|".join(sorted(names)).encode() for names in (_LISTS, _LOADS))
    return bool(re.search(rb"\b(?:%s)[ \t]*\(" % listing, content) and re.search(rb"\b(?:%s)\b" % loading, content))


class _Known:
    """A source, and what of it holds paths that start from its own location.

    Attributes:
        given: names of the functions that get such paths.
    """

    def __init__(self, tree, functions, treated=frozenset()):
        self._functions = functions
        top = _Scope([tree], outside=True, treated=treated)
        locations = _LOCATIONS | {"files"} if top.resources else _LOCATIONS
        self._scopes = [(None, top), *((function, _Scope(function.body, treated=treated)) for function in functions)]
        self.given, self._held, before = set(), {}, -1
        while len(self.given) > before:
            before = len(self.given)
            outer = locations
            for function, scope in self._scopes:
                own = set() if function is None else _parameters(function)
                held = self._held[function] = scope.spread(outer | own if self._is_given(function) else outer - own)
                self.given.update(
                    name for called, names in scope.calls if not held.isdisjoint(names) for name in called
                )
                outer = held if function is None else outer

    def asking(self):
        """Return the functions that ask of such paths whether they are links; None among them is the module."""
        return {function for function, scope in self._scopes if scope.asks(self._held[function], spread=False)}

    def _is_given(self, function):
        return function is not None and function.name in self.given


class _Scope:
    """What the statements of a function or of a module do with names.

    Args:
        body: nodes.
        outside: whether to leave out functions.
        treated: calls that ask, and do not count.

    Attributes:
        calls: pairs of the names that are called and those in the arguments.
        resources: whether the module of that name is imported.
    """

    def __init__(self, body, outside=False, treated=frozenset()):
        self.calls, self.resources = [], False
        self._assigned, self._asked = [], []
        pending = list(body)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Call):
                given = [_names(each) for each in [*node.args, *node.keywords]]
                if given:
                    self.calls.append((_called(node), set().union(*given)))
                if _asks(node) and node not in treated:
                    self._asked.append(_names(node))
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                modules = [getattr(node, "module", None), *(alias.name for alias in node.names)]
                self.resources = self.resources or not _RESOURCES.isdisjoint(modules)
            else:
                targets, value = _assignment(node)
                if value is not None:
                    self._assigned.append((targets, _names(value)))
            pending += [
                child
                for child in ast.iter_child_nodes(node)
                if not (isinstance(child, ast.expr_context) or (outside and isinstance(child, _FUNCTIONS)))
            ]

    def spread(self, known):
        """Return some names with those that are made of them: ``path = HERE / name``, ``for name in listdir(HERE)``."""
        known, before = set(known), -1
        while len(known) > before:
            before = len(known)
            for targets, names in self._assigned:
                if not known.isdisjoint(names):
                    known.update(targets)
        return known

    def asks(self, known, spread=True):
        """Tell whether it asks whether a path is a link, of one that some names hold, or what is made of them."""
        known = self.spread(known) if spread and self._asked else known
        return any(not known.isdisjoint(names) for names in self._asked)


def _assignment(node):
    """Return the names that a node sets and what it sets them to, None where it sets none."""
    if isinstance(node, (ast.For, ast.comprehension)):
        targets, value = [node.target], node.iter
    elif isinstance(node, ast.withitem):
        targets, value = [node.optional_vars], node.context_expr
    elif isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        targets, value = [node.target], node.value
    else:
        return (), None
    return [name for target in targets for name in _targets(target)], value


def _holds(function, node):
    return function.lineno <= node.lineno <= (function.end_lineno or node.lineno)


def _asks(call):
    """Tell whether a call asks whether a path is a link, or opens none."""
    return not NAMES.isdisjoint(_called(call)) or any("O_NOFOLLOW" in _names(each) for each in call.args)


def _treated(node):
    """Return the calls in a condition that asks for a link, to remove or replace it, or to follow it by hand."""
    if not isinstance(node, (ast.If, ast.While)) or True not in _wanted(node.test, True):
        return []
    calls = [call for each in node.body for call in ast.walk(each) if isinstance(call, ast.Call)]
    follows = any("readlink" in _called(call) for call in calls)
    changed = set().union(*(_names(call) for call in calls if not _CHANGES.isdisjoint(_called(call)))) - _MODULES
    return [
        call
        for call in ast.walk(node.test)
        if isinstance(call, ast.Call) and _asks(call) and (follows or not changed.isdisjoint(_names(call)))
    ]


def _may_name_location(content):
    return any(name.encode() in content for name in (*sorted(OWN), "getfile", "getsourcefile", "resources"))


def _may_locate(node):
    if isinstance(node, ast.Name):
        return node.id in _LOCATIONS or node.id == "files"
    return isinstance(node, ast.Attribute) and (node.attr in _LOCATIONS or node.attr == "files")


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


def _lists_given(function, treated):
    """Tell whether a function lists nothing but what it is given, or what is made of that."""
    known = _Scope(function.body, treated=treated).spread(_parameters(function))
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and not _LISTS.isdisjoint(_called(node)):
            named = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} - _MODULES
            called = {call.func.id for call in ast.walk(node) if isinstance(call, ast.Call) and _is_named(call.func)}
            if not named - called or not named - called <= known:
                return False
    return True


def _is_named(node):
    return isinstance(node, ast.Name)


def _wanted(test, wanted):
    """Return what a condition wants of links: True where it is met by one, False where by what is none."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _wanted(test.operand, not wanted)
    if isinstance(test, ast.Call) and not NAMES.isdisjoint(_called(test)):
        return {wanted}
    return set().union(*(_wanted(inner, wanted) for inner in ast.iter_child_nodes(test)))
