"""What the syntax tree of a Python source says of locations and imports; few sources need to be asked (``sources``)."""

import ast
import collections
import gc

import skipping
from locations import ANY, FORMS, LOADERS, OWN, PLAIN, RESOLVERS

#: Modules whose import alone counts as naming a location; their functions have everyday names.
_RESOURCES = frozenset(["importlib.resources", "importlib_resources"])

#: What a syntax tree says.
#:
#: resolves: whether it has a name of what resolves links, and one of a location of modules.
#: asks: whether that is one of another module's location too.
#: hands: whether it hands its own location to code that may resolve it.
#: loads: whether it has a name of what resolves links, and one of what loads modules from paths.
#: inspects: whether it has a name of what resolves links, and runs the program that says what a library needs.
#: skips: what it does with links (``skipping.Skips``).
#: imported: the names that are imported absolutely, without those of what lies in them.
Said = collections.namedtuple("Said", "resolves asks hands loads inspects skips imported")


def read(content):
    """Return what the syntax tree of a source says, a ``Said``: nothing where it does not parse, nor runs either."""
    # Nodes make no cycles, and a collection of garbage looks at all of them: a quarter of the time on 420 kB of source.
    gc.disable()
    try:
        nodes = _nodes(content)
        names = {name for node in nodes for name in _names(node)}
        resolver = not names.isdisjoint(RESOLVERS)
        asks = resolver and any(map(_names_another, nodes))
        return Said(
            resolves=asks or (resolver and any(map(_names_own, nodes))),
            asks=asks,
            hands=_hands(nodes),
            loads=resolver and not names.isdisjoint(LOADERS),
            inspects=resolver and any(isinstance(node, ast.Constant) and node.value == "ldd" for node in nodes),
            skips=skipping.NOTHING if names.isdisjoint(skipping.NAMES) else skipping.skips(nodes),
            imported={name for node in nodes for name in _imported(node)},
        )
    finally:
        gc.enable()


def _nodes(content):
    """Return all nodes of a source's syntax tree, but for what says that a name is read or written."""
    try:
        nodes = [ast.parse(content)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    for node in nodes:  # it grows on the way; this is ast.walk in a third of the time
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                nodes += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST) and field != "ctx":
                nodes.append(value)
    return nodes


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
    return not OWN.isdisjoint(_names(node))


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
    return not ANY.isdisjoint(_names(node))


def _hands(nodes):
    """Tell whether a function gets the module's location as it is: ``load(__file__)``, ``f(x, base=HERE)``."""
    kinds = (ast.Assign, ast.AnnAssign)
    assigned = [node for node in nodes if isinstance(node, kinds) and node.value and _is_location(node.value, ())]
    targets = [target for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    for node in nodes:
        if isinstance(node, ast.Call) and not PLAIN.issuperset(_names(node.func)):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(_is_location(value, names) for value in given):
                return True
    return False


def _is_location(node, names):
    """Tell whether an expression is the path of the module itself, in whatever form."""
    if isinstance(node, ast.Name):
        return node.id == "__file__" or node.id in names
    if isinstance(node, ast.Attribute):
        return node.attr == "origin" and isinstance(node.value, ast.Name) and node.value.id == "__spec__"
    if not isinstance(node, ast.Call) or not FORMS.intersection(_names(node.func)):
        return False
    itself = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    return any(_is_location(value, names) for value in [*node.args[:1], *itself])


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module.split(".")[0]]
    return ()
