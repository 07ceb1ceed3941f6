"""Which packages a source in JavaScript imports: bare specifiers, in code and not in comments or texts.

Every isolated layout of ``node_modules`` meets packages that import what they do not declare, and find it only since
npm lays packages flat. Each edge that is found needlessly costs sharing, so a word in a comment is none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from nixgen.npm.names import is_package_name

#: What Node.js has itself (``module.builtinModules`` of Node.js 24); with a path behind them, packages are meant.
_BUILTIN = frozenset(
    word
    for line in (
        "assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram",
        "diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector",
        "inspector/promises module net os path path/posix path/win32 perf_hooks process punycode querystring",
        "readline readline/promises repl stream stream/consumers stream/promises stream/web string_decoder",
        "sys timers timers/promises tls trace_events tty url util util/types v8 vm wasi worker_threads zlib",
    )
    for word in line.split()
)

#: Sources: what Node.js runs. What a type checker reads (``.d.ts``) is none.
_SUFFIXES = (".js", ".cjs", ".mjs")

#: Directories at a package's top, and files there, that are the author's: their imports are those of development.
_OF_AUTHORS = re.compile(
    r"(?:tests?|__tests__|specs?|examples?|benchmarks?|bench|demos?|docs?|fixtures|coverage|website|scripts|tasks)/"
    r"|(?:\.?[\w-]+\.(?:config|conf|rc|setup)|\.[\w.-]+rc|(?:gulp|grunt|jake)file[\w.]*|rollup|karma\.\w+|tests?|bench(?:mark)?)\.[cm]?js$",
    re.IGNORECASE,
)

_SPEC = r"""(?P<{q}>["'])(?P<{s}>(?:@[\w\-.~!*()]+/)?[A-Za-z0-9\-~!*()][\w\-.~!*()]*(?:/[^"'\\\n]*)?)(?P={q})"""
_GAP = r"(?>\s++|/\*(?>.{0,2000}?\*/)|//[^\n]*+\n)*+"  # nothing is tried twice: sources may be made to take long

#: An import as it stands in code: a call, or a statement up to its specifier.
_IMPORT = (
    rf"(?:module\s*\.\s*|__)?require(?:\s*\.\s*resolve)?{_GAP}\({_GAP}{_SPEC.format(q='q1', s='s1')}"
    rf"|import{_GAP}\({_GAP}{_SPEC.format(q='q2', s='s2')}"
    rf"|import{_GAP}{_SPEC.format(q='q3', s='s3')}"
    rf"|from{_GAP}{_SPEC.format(q='q4', s='s4')}"  # before a text, the word ends an import or export of any length
)
_QUICK = re.compile(rf"(?<![\w$.])(?:{_IMPORT})", re.DOTALL)

#: One step through a source: what is no code, an import, a word, or a sign. A template goes up to its next ``${``.
_STEP = re.compile(
    r"(?P<blank>(?>\s++|//[^\n]*+|/\*(?>.*?\*/)|#![^\n]*+)++)"
    rf"|(?P<import>(?<![\w$.])(?:{_IMPORT}))"
    r"""|(?P<text>"(?>[^"\\\n]++|\\.)*+"|'(?>[^'\\\n]++|\\.)*+')"""
    r"|(?P<word>[\w$]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r"(?>[^`\\$]++|\\.|\$(?!\{))*+(?P<end>`|\$\{|\Z)", re.DOTALL)
_REGEXP = re.compile(r"/(?![*/])(?>[^/\\\[\n]++|\\.|\[(?>[^\]\\\n]++|\\.)*+\])++/[A-Za-z]*")

#: No regular expression is longer; what seems one and has no end is not looked at anew from each slash in it.
_LONGEST_EXPRESSION = 2000

#: After these words an expression begins, and so a slash begins a regular expression.
_BEFORE_EXPRESSION = re.compile(
    "return|typeof|instanceof|in|of|new|delete|void|throw|case|do|else|yield|await|default|extends"
)
#: After the bracket that these open, a statement begins.
_CONTROL = frozenset(("if", "while", "for", "with"))


def is_source(path: str) -> bool:
    """Tell whether a file of a package, by its path in it, is a source whose imports count."""
    return path.endswith(_SUFFIXES) and _OF_AUTHORS.match(path) is None


def package_of(specifier: str) -> str | None:
    """Return the package that a specifier is of; None where it is of none: a path, a URL, a module of Node.js."""
    if specifier in _BUILTIN:
        return None
    parts = specifier.split("/")
    name = "/".join(parts[: 2 if specifier.startswith("@") else 1])
    return name if is_package_name(name) else None


def brings_its_own(source: str) -> bool:
    """Tell whether a source is a bundle of browserify's form, whose ``require`` finds what is in the bundle.

    Without it, object.assign had 12 needless edges: it ships one for browsers beside its sources.
    """
    return "function(require,module,exports)" in source


def candidates(source: str) -> set[str]:
    """Return the packages that a source may import: those in comments and texts too. Quick."""
    return set(filter(None, map(package_of, _specifiers(_QUICK.finditer(source)))))


def imports(source: str) -> set[str]:
    """Return the packages that a source imports; takes about a second for a megabyte."""
    return set(filter(None, map(package_of, _walk(source))))


def directory_of(path: str) -> str:
    """Return the directory of the package that a file of an archive belongs to, "" for the archive's own.

    Args:
        path: of the file, in the archive; what is bundled lies in its ``node_modules``.
    """
    before, between, after = path.rpartition("node_modules/")
    if not between:
        return ""
    parts = after.split("/")
    return posixpath.join(before, "node_modules", *parts[: 2 if parts[0].startswith("@") else 1])


def _specifiers(found: Iterator[re.Match[str]]) -> Iterator[str]:
    for match in found:
        yield match["s1"] or match["s2"] or match["s3"] or match["s4"]


def _walk(source: str) -> Iterator[str]:
    """Yield the specifiers of the imports in a source, in order.

    What is code follows from signs alone. Only a slash needs more: whether it divides or begins a regular expression
    is seen by what stands before it, as every such reader does that builds no tree.
    """
    source += "\n*/"  # a comment that has no end goes up to here, and is looked at once
    position, end = 0, len(source)
    last = ""  # the word or sign before
    braces: list[bool] = []  # of each open one, whether it ends in a template
    brackets: list[str] = []  # of each open one, the word before it
    while position < end:
        match = _STEP.match(source, position)
        if match is None:  # pragma: no cover - the last alternative takes everything
            return
        position = match.end()
        if match["blank"] is not None:
            continue
        if match["import"] is not None:
            yield from _specifiers(iter((match,)))
            last = ")"
        elif match["text"] is not None:
            last = ")"
        elif match["word"] is not None:
            last = match["word"]
        else:
            sign = match["sign"]
            if sign == "/" and _begins_expression(last):
                expression = _REGEXP.match(source, position - 1, position + _LONGEST_EXPRESSION)
                if expression is not None:
                    position, sign = expression.end(), ")"
            elif sign == "(":
                brackets.append(last)
            elif sign == ")":
                sign = ";" if brackets and brackets.pop() in _CONTROL else ")"
            elif sign == "{":
                braces.append(False)
            elif sign == "`" or (sign == "}" and braces and braces.pop()):
                piece = _TEMPLATE.match(source, position)
                position = piece.end() if piece else end
                sign = ")"
                if piece and piece["end"] == "${":
                    braces.append(True)
                    sign = "("
            last = sign


def _begins_expression(last: str) -> bool:
    if not last or _BEFORE_EXPRESSION.fullmatch(last):
        return True
    return last not in (")", "]") and not (last[-1].isalnum() or last[-1] in "_$")
