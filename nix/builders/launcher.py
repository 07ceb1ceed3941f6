"""The commands of an environment: scripts that run the Python beside them."""

import ast
import io
import re
import tokenize

#: A shell reads the part between the quotes, Python reads a string. The Python is the one beside the name that the
#: command was called by, so that a link from another environment's bin runs that environment; where that is no bin of
#: an environment, as for a link from ~/bin or /usr/local/bin, it is the one beside what the link points to.
_HEADER = """\
#!/bin/sh
{cookie}''':'
here=$0
case $here in
  */*) ;;
  *) if [ -e "$here" ]; then here=./$here; else here=$(command -v -- "$here"); fi ;;
esac
called=$here
until bin=${{here%/*}}; [ -x "$bin/python" ] && [ -e "$bin/../pyvenv.cfg" ] || [ ! -L "$here" ]; do
  link=$(readlink "$here")
  case $link in /*) here=$link ;; *) here=$bin/$link ;; esac
done
# Python takes the name of its directory, not where that leads.
if [ -L "$bin" ] && [ ! -e "${{bin%/*}}/pyvenv.cfg" ]; then bin=$(cd -P "$bin" && pwd); fi
exec "$bin/python" "$called" "$@"
'''
"""

#: The header is no docstring: commands print ``__main__.__doc__``.
_SCRIPT = """\
__doc__ = None
import sys
from {module} import {first}
if __name__ == "__main__":
    if sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({attribute}())
"""

_SHEBANG = re.compile(rb"^#!python[^\n]*\r?\n?")
_REFERENCE = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def entry_point(reference):
    """Return the script of a console or GUI entry point, as bytes.

    Args:
        reference: an object reference, ``package.module:attribute`` (the entry points specification).

    Raises:
        ValueError: where it is none. Nothing else of a wheel reaches the text of a script.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(f"not an object reference: {reference!r}")
    attribute = match["attribute"]
    script = _SCRIPT.format(module=match["module"], first=attribute.split(".")[0], attribute=attribute)
    return (_HEADER.format(cookie="") + script).encode()


def is_python_script(content):
    """Tell whether a wheel's script starts with ``#!python``, which an installer has to replace (PEP 427)."""
    return _SHEBANG.match(content) is not None


def python_script(content):
    """Return a wheel's script with its ``#!python`` line replaced by one that finds the Python beside it.

    A coding comment stays within the first two lines (PEP 263), and the script's docstring stays its ``__doc__``, which
    command line parsers print.
    """
    body = _SHEBANG.sub(b"", content, count=1)
    encoding = _encoding(body)
    cookie = "" if encoding == "utf-8" else f"# -*- coding: {encoding} -*-\n"
    return _HEADER.format(cookie=cookie).encode() + _with_docstring(body)


def _encoding(body):
    try:
        return tokenize.detect_encoding(io.BytesIO(body).readline)[0]
    except SyntaxError:
        return "utf-8"


def _with_docstring(body):
    """Return a script whose docstring, or None, is assigned to ``__doc__``: the header stands where docstrings do."""
    try:
        module = ast.parse(body)
    except (SyntaxError, ValueError):
        return body
    docstring = ast.get_docstring(module, clean=False)
    assignment = f"__doc__ = {docstring!a}\n".encode()
    last = max((i for i, node in enumerate(module.body) if _is_future(node)), default=None)
    if last is None:
        return assignment + body
    # One docstring may precede these imports and nothing else: the script's own makes room for the header's.
    own, following = module.body[0], module.body[min(1, last)]
    lines = body.splitlines(keepends=True)
    if docstring is not None and following.lineno > own.end_lineno:
        lines[own.lineno - 1 : own.end_lineno] = [b"\n"] * (own.end_lineno - own.lineno + 1)
    end = module.body[last].end_lineno
    for node in module.body[last:]:
        if node.lineno <= end:
            end = max(end, node.end_lineno)
    lines[end - 1] = lines[end - 1].rstrip(b"\r\n") + b"\n"
    lines.insert(end, assignment)
    return b"".join(lines)


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
