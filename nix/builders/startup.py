"""What an environment runs when its Python starts: a package, and a .pth file that imports it."""

import os

#: Sorted before the .pth files of wheels, which may import what needs it.
_PTH = "0-nixgen-{}.pth"
_PACKAGE = "_nixgen_{}"


def paths(directory, name):
    """Return the paths that ``write`` makes."""
    return [os.path.join(directory, _PTH.format(name)), os.path.join(directory, _PACKAGE.format(name))]


def write(directory, name, source, call):
    """Write a package and its .pth file.

    Args:
        directory: site-packages of the environment.
        name: part of both names.
        source: a module beside this one, which the package is a copy of.
        call: the line of Python that it ends with.
    """
    import py_compile

    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), source), encoding="utf-8") as file:
        text = file.read()
    # A package: site-packages/__pycache__ may be a link to a tree's.
    package = _PACKAGE.format(name)
    os.mkdir(os.path.join(directory, package))
    module = os.path.join(directory, package, "__init__.py")
    with open(module, "x", encoding="utf-8") as file:
        file.write(f"{text}\n\n{call}\n")
    # Without the environment's path in it: Python fills in where it finds the source.
    py_compile.compile(
        module, dfile=package, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    with open(os.path.join(directory, _PTH.format(name)), "x", encoding="utf-8") as file:
        file.write(f"import {package}\n")
