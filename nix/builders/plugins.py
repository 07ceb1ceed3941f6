"""Shared libraries that are opened, not linked: plugins, whose host opens them by their resolved paths; modules.

``$ORIGIN`` is the directory of the path that the loader was given. Python gives it a module's path as written; a host
such as Qt resolves links first, and what its plugin needs is then looked for around the leaf.
"""

import posixpath
import re

import elf
from placement import from_origin

#: What Linux has for all wheels (PEP 600), or what comes with the display and its drivers.
_PLATFORM = re.compile(
    r"lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|mvec|gcc_s|stdc\+\+|atomic|gomp|z|expat|python3[\w.]*)(\.so.*)?"
    r"|ld-linux.*|ld64\..*|lib(c\.|)musl.*|lib(X|x|ICE|SM|GL|EGL|GLX|OpenGL|drm|gbm|wayland|cuda|nv)[\w.+-]*"
    r"|lib(glib|gobject|gthread|gio|gmodule)-2\.0\.so.*"
)


def of_wheel(found):
    """Return the plugins of a wheel, and what looks for its libraries beside it without being one that others link.

    Args:
        found: path to ``elf.Elf``, for the shared libraries and programs of the wheel.

    Returns:
        two lists of paths: plugins that lie apart from the libraries of the wheel which they need (``$ORIGIN/../lib``),
        opened by a library that resolves paths, of this wheel or another; and modules, plugins and libraries that code
        opens by their paths, all with ``$ORIGIN`` in their run paths. What tools inspect are these: libraries that are
        linked are found through them.
    """
    linked = {name for one in found.values() for name in one.needed}
    directories = {posixpath.dirname(path) for path in found}
    names = {name: one for path, one in found.items() for name in (posixpath.basename(path), one.soname) if name}
    plugins, looking = [], []
    for path, one in sorted(found.items()):
        reached = _reached(path, one)
        if one.program or not reached or {posixpath.basename(path), one.soname} & linked:
            continue
        looking.append(path)
        apart = (reached & directories) - {posixpath.dirname(path)}
        if apart and not one.module and any(_is_host(name, names) for name in one.needed):
            plugins.append(path)
    return plugins, looking


def _reached(path, one):
    """Return the directories that a library's run paths lead to from its own."""
    directory = posixpath.dirname(path)
    paths = [run_path for run_path in elf.run_paths(one) if from_origin(run_path)]
    return {posixpath.normpath(posixpath.join(directory, *run_path.split("/")[1:])) for run_path in paths}


def _is_host(name, names):
    """Tell whether a library may open plugins by resolved paths: what another wheel has may."""
    return names[name].opens if name in names else not _PLATFORM.fullmatch(name)
