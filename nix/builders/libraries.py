"""Which shared libraries an environment loads by their paths, since its Python would not find them for its wheels.

RECORD's hashes forbid to write run paths into a wheel's libraries, and a Python of the store does not search the
machine's directories.
"""

import fnmatch
import os
import re
import sys

import elf
import startup

#: What every Python on Linux has at hand: its C library in parts, the loader, Python itself (PEP 600; musl's own).
_SYSTEM = re.compile(
    r"lib(c|m|dl|pthread|rt|util|resolv|anl|mvec)\.so\.\d+|ld-linux[\w-]*\.so\.\d+|ld64\.so\.\d+"
    r"|libc\.musl-\w+\.so\.\d+|ld-musl-\w+\.so\.\d+|libpython3[\w.]*"
)


def of_wheel(files):
    """Return what the shared libraries of a wheel need of others, and what they are to others.

    Programs are left out: what a process loads does not reach those that it starts. So are files for other machines.

    Args:
        files: pairs of a path and its ``elf.Elf``.

    Returns:
        two sorted lists of SONAMEs: those needed that no file of the wheel has as its name or SONAME, and those
        provided, which are both.
    """
    machine = _machine(sys.executable) if files else None
    libraries = [(path, found) for path, found in files if found.library and machine in (None, found.machine)]
    provides = {os.path.basename(path) for path, _ in libraries} | {found.soname for _, found in libraries} - {""}
    needed = {name for _, found in libraries for name in found.needed}
    return sorted(needed - provides), sorted(provides)


def write(out, site, manifests, python, *, given, ignore, required):
    """Have the environment ``out`` load what its wheels need, where they need anything; else write nothing.

    Args:
        out: the environment, with its wheels merged.
        site: path of site-packages in it.
        manifests: what each tree says of itself (``manifest.Manifest``), by its path.
        python: path of the interpreter.
        given: directories with libraries, or with a ``lib`` of them.
        ignore: patterns of SONAMEs that are neither looked for nor missed.
        required: whether a library that nothing provides is an error; else it is left to Python's own search.

    Raises:
        SystemExit: where a library is required and nothing provides it, or what is given is no directory.
    """
    if not given and not required:
        return
    wanted = {}
    for said in manifests.values():
        for name in said.needed:
            wanted.setdefault(name, []).append(said.distribution)
    directories = [*map(_directory, given), *(_own_directories(python) if required else [])]
    provided = {name for said in manifests.values() for name in said.provides}
    search = _Search(directories, ignore, provided, _machine(python))
    for name in sorted(wanted):
        search.add(name, wanted[name])
    if search.missing and required:
        sys.exit(_complaint(search.missing, python))
    names = {name for tree, said in manifests.items() if search.loads(said.needed) for name in _modules(tree, site)}
    if search.found and names:
        call = f"install({sorted(names)!r}, {search.found!r})"
        startup.write(os.path.join(out, site), "libraries", "finder.py", call)


class _Search:
    """A search for libraries and what they need in turn.

    Args:
        directories: where to look.
        ignore: as ``write`` has it.
        provided: SONAMEs of what wheels bring.
        machine: of the interpreter, as ``elf.machine`` gives it.

    Attributes:
        found: paths, each after those that it needs.
        missing: by SONAME, who needs what nothing provides.
    """

    def __init__(self, directories, ignore, provided, machine):
        self.found = []
        self.missing = {}
        self._seen = set()
        self._directories = directories
        self._ignore = ignore
        self._provided = provided
        self._machine = machine

    def add(self, name, users):
        """Look for a library that ``users`` need."""
        if name in self._seen or self._is_settled(name):
            return
        self._seen.add(name)
        path, library = self._find(name)
        if path is None:
            # Wheels that bring libraries for others load them, or are reached by run paths.
            if name not in self._provided:
                self.missing[name] = users
            return
        for needed in library.needed:
            if self._find(needed)[0] is not None or not _finds(path, library, needed):
                self.add(needed, [path])
        self.found.append(path)

    def loads(self, needed):
        """Tell whether importing the modules of a tree that needs these libraries has to load anything."""
        return any(not self._is_settled(name) for name in needed)

    def _is_settled(self, name):
        return _SYSTEM.fullmatch(name) or any(fnmatch.fnmatchcase(name, pattern) for pattern in self._ignore)

    def _find(self, name):
        for directory in self._directories:
            path = os.path.join(directory, name)
            found = _read(path)
            # The loader compares SONAMEs; another one would not serve those who ask for this.
            if found and found.soname == name and self._machine in (None, found.machine):
                return path, found
        return None, None


def _read(path):
    try:
        with open(path, "rb") as file:
            return elf.read(file.read())
    except (OSError, ValueError):
        return None


def _machine(path):
    try:
        with open(path, "rb") as file:
            return elf.machine(file.read(64))
    except OSError:
        return None


def _directory(given):
    inner = os.path.join(given, "lib")
    if os.path.isdir(inner):
        return inner
    if os.path.isdir(given):
        return given
    sys.exit(
        "nixgen: a directory of libraries is not there\n"
        f"  where: {given}\n"
        "  what to do: name one that the build sees; in a sandbox that is one of the store"
    )


def _own_directories(python):
    """Return the directories that an interpreter's own run paths name, which not every library is looked for in."""
    path = os.path.realpath(python)
    found = _read(path)
    return _run_directories(path, found) if found else []


def _run_directories(path, found):
    origin = os.path.dirname(os.path.realpath(path))
    return [
        directory.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)
        for directory in (found.runpath or found.rpath)
    ]


def _finds(path, library, needed):
    """Tell whether a library's own run path leads to one that it needs."""
    return any(os.path.exists(os.path.join(directory, needed)) for directory in _run_directories(path, library))


def _complaint(missing, python):
    lines = [f"    {name}: {', '.join(sorted(set(missing[name])))}" for name in sorted(missing)]
    return "\n".join(
        [
            "nixgen: nothing provides these shared libraries; beside each stands what needs it",
            *lines,
            f"  where: an environment of {python}, which does not search the machine's directories",
            "  what to do: give what has them, with `libraries` of `nixgen.env` or `nixgen build --library DIR`; name "
            "those that the packages can do without, such as a driver's, with `ignoreLibraries` or `--ignore-library`",
        ]
    )


def _modules(tree, site):
    """Return the names of a tree's top-level modules and packages."""
    directory = os.path.join(tree, site)
    names = {entry.partition(".")[0] for entry in os.listdir(directory)} if os.path.isdir(directory) else set()
    return {name for name in names if name.isidentifier() and name != "__pycache__"}
