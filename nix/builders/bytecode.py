"""Bytecode of a tree: what the environment's own Python would cache, if it could write there."""

import importlib.util
import marshal
import os
import struct
import sys
import warnings

#: PEP 552: a hash in place of the source's time, and nobody compares it.
_UNCHECKED_HASH = 0b01

# Until 3.12 a process has one string of each of these characters, and marshal says whether it is interned: it is where
# any source has a name of that one letter ("é"). Now it is, always.
for _number in range(256):
    sys.intern(chr(_number))


def compile_source(source):
    """Compile one source into its ``__pycache__``, as an unchecked hash-based pyc: no file times (PEP 552).

    The bytes depend on the source, its path and the Python alone, and not on what this process did before.

    Args:
        source: path of the source, as it is to stand in tracebacks.

    Returns:
        The path of the bytecode, None where the source does not compile; it is left alone then, as pip leaves it.
    """
    target = importlib.util.cache_from_source(source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, "rb") as file:
        content = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = _marshalled(content, source)
        except Exception:  # whatever it is, as py_compile has it: the package's affair
            return None
    with open(target, "wb") as file:
        file.write(importlib.util.MAGIC_NUMBER + struct.pack("<L", _UNCHECKED_HASH))
        file.write(importlib.util.source_hash(content) + data)
    return target


def _marshalled(content, path):
    code = compile(content, path, "exec", dont_inherit=True)
    parts = _parts(code)
    if _has_what_interning_splits(parts):
        code = compile(content, path, "exec", dont_inherit=True)
        parts.extend(_parts(code))
    # marshal marks what is referred to more than once (FLAG_REF), and until 3.11 a string counts that any other module
    # of the process has interned too: of 4,723 files, 3,103 differed. ``parts`` refers to every one of them.
    return marshal.dumps(code)


def _parts(code):
    """Return a code object's names and constants, and those of the code objects in it."""
    found, left = [], [code]
    while left:
        part = left.pop()
        found.append(part)
        if isinstance(part, (tuple, frozenset)):
            left.extend(part)
        elif isinstance(part, type(code)):
            left += [part.co_consts, part.co_names, part.co_varnames, part.co_freevars, part.co_cellvars]
            left += [part.co_filename, part.co_name, getattr(part, "co_qualname", "")]
    return found


def _has_what_interning_splits(parts):
    """Tell whether a code object may be made differently where somebody has interned a string of it before.

    Where nobody has, a constant and a name are one string, and two equal constants one object; else they are two. (A
    second compilation while ``parts`` live finds all of them interned, always.) It happens to sets of strings (3.8 to
    3.13), and to a constant that is a name and does not look like one: the ``A.B`` of a nested class (3.13 and later).
    """
    codes = [part for part in parts if isinstance(part, type(_parts.__code__))]
    names = {getattr(code, "co_qualname", "") for code in codes}.union(*(code.co_names for code in codes))
    names = {name for name in names if not (name.isascii() and name.isidentifier())}
    constants = {part for code in codes for part in code.co_consts if isinstance(part, str)}
    return any(isinstance(part, frozenset) for part in parts) or not names.isdisjoint(constants)
