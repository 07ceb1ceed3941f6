"""Headers of C and C++ that include what lies beside them, and CMake files that resolve where they lie.

GCC takes a header of a system directory (``-isystem``, ``C_INCLUDE_PATH``; CMake passes imported targets so) by its
resolved path where that is shorter (``-fcanonical-system-headers``), and looks there for what it includes by quotes.
"""

import posixpath
import re

_HEADERS = (
    *(".h", ".hh", ".hpp", ".hxx", ".h++", ".H", ".inc", ".inl", ".ipp", ".ixx", ".tcc", ".tpp", ".txx"),
    *(".def", ".cuh", ".hip"),
)
_INCLUDE = rb"(?m)^[ \t]*#[ \t]*(?:include|include_next|import)[ \t]*\"([^\"\r\n]+)\""
_RESOLVER = rb"\bREAL_?PATH\b"


def is_header(path):
    """Tell whether a compiler may include a file: by its suffix, or as C++'s own headers are named (``Eigen/Core``)."""
    directory, name = posixpath.split(path)
    return name.endswith(_HEADERS) or ("." not in name and "include" in directory.split("/"))


def is_cmake(path):
    """Tell whether CMake reads a file."""
    return path.endswith(".cmake") or posixpath.basename(path) == "CMakeLists.txt"


def includes_beside(path, content, paths):
    """Tell whether a header includes a file of its wheel by quotes, from the directory that it lies in.

    Args:
        path: of the header, in the wheel.
        content: its bytes.
        paths: every file of the wheel.
    """
    directory = posixpath.dirname(path)
    return any(
        posixpath.normpath(posixpath.join(directory, name.decode("utf-8", "surrogateescape"))) in paths
        for name in re.findall(_INCLUDE, content)
    )


def resolves(content):
    """Tell whether a CMake file asks for a real path (``get_filename_component``, ``file``, ``cmake_path``)."""
    return re.search(_RESOLVER, content) is not None
