"""Bytecode of a tree: what the environment's own Python would cache, if it could write there."""

import importlib.util
import os
import py_compile
import warnings


def compile_source(source):
    """Compile one source into its ``__pycache__``, as an unchecked hash-based pyc: no file times (PEP 552).

    Args:
        source: path of the source, as it is to stand in tracebacks.

    Returns:
        The path of the bytecode, None where the source does not compile; it is left alone then, as pip leaves it.
    """
    target = importlib.util.cache_from_source(source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return py_compile.compile(
                source, target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )
        except (py_compile.PyCompileError, ValueError, RecursionError, MemoryError):
            return None
