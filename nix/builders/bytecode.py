"""Bytecode of a tree: what the environment's own Python would cache, if it could write there."""

import errno
import importlib.util
import marshal
import os
import struct
import sys
import warnings

#: The time that Nix gives all files of the store, in seconds of the epoch.
TIME = 1

# Until 3.12 a process has one string of each of these characters, and marshal says whether it is interned: it is where
# any source has a name of that one letter ("é"). Now it is, always.
for _number in range(256):
    sys.intern(chr(_number))


def compile_source(source, content, name):
    """Compile one source into its ``__pycache__``, with the time and size of the source in the store.

    Python compares these with the source's own. So who edits a file of a mounted environment, or puts another in the
    place of a farm's link, sees what it does. Hash-based bytecode (PEP 552) would hide the edit where it is unchecked,
    and costs 3 to 5 % of an import's processor time where it is checked.

    The bytes depend on the source, its name and the Python alone, and not on what this process did before.

    Args:
        source: path of the source.
        content: its bytes.
        name: what the bytecode is to call it; Python puts the path in its place from which it imports the module.

    Returns:
        The path of the bytecode, None where the source does not compile; it is left alone then, as pip leaves it.
    """
    target = importlib.util.cache_from_source(source)
    # Also for a source that does not compile: what two trees have is a real directory of an environment, and not a link
    # to the one with the bytecode of another source in this one's place.
    if not os.path.isdir(os.path.dirname(target)):
        os.makedirs(os.path.dirname(target), exist_ok=True)  # another process may make it too
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = compiled(content, name)
        except Exception:  # whatever it is, as py_compile has it: the package's affair
            return None
    try:
        file = open(target, "wb")  # noqa: SIM115
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None  # a module works without
        raise
    with file:
        file.write(data)
    return target


def compiled(content, name):
    """Return the bytecode of a source; see ``compile_source``.

    Raises:
        Exception: what ``compile`` raises.
    """
    data = _marshalled(content, name)
    return importlib.util.MAGIC_NUMBER + struct.pack("<LLL", 0, TIME, len(content) & 0xFFFFFFFF) + data


def _marshalled(content, name):
    kept = [compile(content, name, "exec", dont_inherit=True)]
    if _is_split_by_interning(kept[0]):
        kept.append(compile(content, name, "exec", dont_inherit=True))
    # marshal marks what is referred to more than once (FLAG_REF), and until 3.11 a string counts that any other module
    # of the process has interned too: of 4,723 files, 3,103 differed. What is read back refers to every one of them.
    kept.append(marshal.loads(marshal.dumps(kept[-1])))
    return marshal.dumps(kept[-2])


def _is_split_by_interning(code):
    """Tell whether a code object may be made differently where somebody has interned a string of it before.

    Where nobody has, a constant and a name are one string, and two equal constants one object; else they are two. (A
    second compilation while the first lives finds all of them interned, always.) It happens to equal sets of strings,
    until 3.10 to the order of a single one, and from 3.13 on to a constant that is a name and does not look like one:
    the ``A.B`` of a nested class.
    """
    codes = [code]
    for outer in codes:  # it grows on the way
        codes += [constant for constant in outer.co_consts if isinstance(constant, type(code))]
    sets = [constant for inner in codes for constant in inner.co_consts if isinstance(constant, frozenset)]
    if sets and (sys.version_info < (3, 11) or len(set(sets)) < len(sets)):
        return True
    if sys.version_info < (3, 13):
        return False
    names = {inner.co_qualname for inner in codes}.union(*(inner.co_names for inner in codes))
    names = {name for name in names if not (name.isascii() and name.isidentifier())}
    constants = {constant for inner in codes for constant in inner.co_consts if isinstance(constant, str)}
    return not names.isdisjoint(constants)
