"""How one file of a wheel gets into a tree: as a link to its leaf, or as a copy, and why.

Under a link, what resolves its own path finds ``/nix/store/…-file.py`` and no neighbours. Each rule here answers a
failure that was seen; each has a name that users see. The rules look at content, which is here and not in the lock:
reading every Python source while locking would cost a fifth of the wheels' bytes (20.5 % measured over 30 wheels).
"""

import collections
import fnmatch
import posixpath
import sys

import directories
import headers
import sources
import web

#: Every reason for a copy.
REASONS = (
    *("executable", "override", "resolves-itself", "package", "run-by-path", "loaded-by-path", "skips-links"),
    *("subtree", "served", "mach-o", "header"),
)

#: What ``Placement.judge`` finds in one file: its content (None where nobody needs all of it), some
#: of ``REASONS``, a ``sources.Seen`` of a Python source, and of an ELF file its run paths and, where it is sound, an
#: ``elf.Elf``.
Judged = collections.namedtuple("Judged", "content reasons seen run_paths elf")

#: What there is to find in an empty file.
EMPTY = Judged(content=None, reasons=[], seen=None, run_paths=[], elf=None)

#: Mach-O: how a file begins, 64 and 32 bits, both byte orders, and a universal one.
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")
_UNIVERSAL = b"\xca\xfe\xba\xbe"

#: Parts of the names of libraries.
_NATIVE = frozenset(["so", "dylib", "dll", "pyd", "a"])

#: Scripts by their names, and the directories of programs.
_SHELL = (".sh", ".bash", ".zsh", ".ksh", ".csh", ".fish")
_PROGRAMS = frozenset(["bin", "sbin", "libexec", "scripts"])


class Placement:
    """The placement of the files of one wheel.

    Args:
        leaves: every file of the wheel: path to the file that has its content, "" for an empty one.
        overrides: what the user says: ``copy`` and ``link``, lists of patterns (``fnmatch``) of paths in the wheel, and
            ``solid``, true where every file is to be a copy. ``link`` wins over all but ``executable``: a leaf has no
            x bit.
    """

    def __init__(self, leaves, overrides=None):
        overrides = overrides or {}
        self._leaves = leaves
        paths = self._paths = frozenset(leaves)
        programs = directories.programs(paths, lambda path: _read(leaves[path]))
        self._resolved = {path for path, resolved in programs.items() if resolved}
        self._web = web.Web(paths, lambda path: _read(leaves[path]), programs.keys())
        copied = ["*"] if overrides.get("solid") else overrides.get("copy", [])
        self._copy = {path for path in paths if _matches(path, copied)}
        self._link = {path for path in paths if _matches(path, overrides.get("link", []))}
        self._neighbours = _neighbours(paths)
        self._packages = {
            path
            for path in paths
            if posixpath.basename(path) == "__init__.py"
            and posixpath.join(posixpath.dirname(posixpath.dirname(path)), "__init__.py") not in paths
        }

    def judge(self, path, file, executable):
        """Look at one file and return what ``late`` and a tree need of it: a ``Judged``.

        Args:
            path: the file's path in the wheel.
            file: the file that has its content.
            executable: as ``reasons`` has it.
        """
        with open(file, "rb") as opened:
            head = opened.read(4)
            if head == b"\x7fELF" and not is_source(path):
                return self._judge_elf(path, opened, executable)
            content = head + opened.read() if self.looks_into(path, executable, head) else None
        known = content or b""
        seen = self.look(path, known) if is_source(path) else None
        return Judged(
            content=content,
            reasons=self.reasons(path, known, executable, seen),
            seen=seen,
            run_paths=[],
            elf=None,
        )

    def _judge_elf(self, path, opened, executable):
        import mmap

        import elf

        # What is to be read of it is little, and it may be large.
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = elf.read(content)
            reasons = self.reasons(path, content, executable, None)
        return Judged(content=None, reasons=reasons, seen=None, run_paths=elf.run_paths(found), elf=found)

    def late(self, judged):
        """Return what only the whole wheel tells, as ``late_reasons`` does: path to the reasons that come on top.

        Args:
            judged: what ``judge`` gave, by path.
        """
        seen = {path: found.seen for path, found in judged.items() if found.seen}
        looking = [path for path, found in judged.items() if any(map(from_origin, found.run_paths))]
        late = self.late_reasons(seen, looking)
        if looking:
            import plugins

            for path in plugins.of_wheel({path: found.elf for path, found in judged.items() if found.elf})[0]:
                if path not in self._link:
                    late.setdefault(path, ["loaded-by-path"])
        return late

    def looks_into(self, path, executable, head):
        """Tell whether the rules need the content of a file, of which they know the first bytes."""
        read = is_source(path) or headers.is_header(path) or headers.is_cmake(path)
        return read or executable or head in _MACH_O or head == _UNIVERSAL

    def look(self, path, content):
        """Return what the rules need of the Python source ``path``: a ``sources.Seen``."""
        seen = sources.look(content, self._neighbours.get(posixpath.dirname(path), frozenset()))
        return seen._replace(serving=self._web.look(content))

    def reasons(self, path, content, executable, seen):
        """Say why a file must be a copy: some of ``REASONS``, none where a link does.

        Args:
            path: the file's path in the wheel.
            content: its bytes; anything where ``looks_into`` does not ask for them.
            executable: whether the archive marks it executable, or the wheel installs it as a script.
            seen: what ``look`` gave, None for what is no Python source.
        """
        found = []
        if executable and (is_program(content) or is_shell_script(path, content)):
            found.append("executable")  # the copy gets the x bit
        if path in self._link:
            return found
        if path in self._copy:
            found.append("override")
        if (seen and seen.resolves) or (headers.is_cmake(path) and headers.resolves(content)):
            found.append("resolves-itself")
        if path in self._packages:
            found.append("package")
        if seen and seen.imports:
            found.append("run-by-path")
        if is_loaded_by_dyld(content):
            found.append("mach-o")
        if headers.is_header(path) and headers.includes_beside(path, content, self._paths):
            found.append("header")
        if path in self._resolved:
            found.append("subtree")
        return found

    def late_reasons(self, seen, looking=()):
        """Return what only the whole wheel tells: path to the reasons that come on top.

        A source that resolves another module's location means one that is a package, as a rule its own; one that
        resolves a name means the module of the wheel that hands its location out by that name. One that loads modules
        from resolved paths means the extension modules of its package, which then look for libraries where they lie.
        What browsers ask for has to be real where the sources serve it by what refuses links, or where none tells.

        Args:
            seen: what ``look`` gave, by path.
            looking: paths of the libraries that look for others relative to where they lie (``$ORIGIN``).
        """
        asking = {path.split("/")[0] for path, source in seen.items() if source.asks}
        resolved = frozenset().union(*(source.resolved for source in seen.values()))
        loading = tuple(posixpath.dirname(path) + "/" for path, source in seen.items() if source.loads)
        found = {}
        for path, source in seen.items():
            is_package = posixpath.basename(path) == "__init__.py" and path.split("/")[0] in asking
            if is_package or source.handed_out & resolved:
                found[path] = ["resolves-itself"]
        for path in looking:
            # A library that no module is (libdemo.so) is found by the linker, by its path as written.
            if path.startswith(loading) and not posixpath.basename(path).startswith("lib"):
                found[path] = ["loaded-by-path"]
        for path in self._skipped(seen):
            found.setdefault(path, []).append("skips-links")
        for path in self._web.served(source.serving for source in seen.values()):
            if self._leaves[path]:  # what is empty is no link
                found.setdefault(path, []).append("served")
        return {path: reasons for path, reasons in found.items() if path not in self._link}

    def _skipped(self, seen):
        """Return the files that code of the wheel passes over where they are links.

        What lies around a source that asks about paths from its own location, itself or by a function of the wheel;
        and the modules of a package that lists its directories.
        """
        skips = {path: source.skips for path, source in seen.items() if source.skips}
        if not skips:
            return set()
        import skipping

        guards = frozenset().union(*(source.guards for source in skips.values()))
        asking = {path for path, source in skips.items() if source.beside}
        asking.update(path for path in seen if guards and skipping.hands(_read(self._leaves[path]), guards))
        around = tuple({posixpath.dirname(path) + "/" for path in asking if "/" in path})
        listed = {path.split("/")[0] + "/" for path, source in skips.items() if source.lists and not source.given}
        # What lists directories that it is given means a user's, but where its package looks for plugins.
        given = {path.split("/")[0] + "/" for path, source in skips.items() if source.given} - listed
        if given:
            finding = [path for path in seen if skipping.finds_modules(_read(self._leaves[path]))]
            listed.update(top for top in given if any(path.startswith(top) for path in finding))
        listed = tuple(listed)
        found = {path for path in self._paths if path.startswith(around) and not _is_native(path)}
        found.update(path for path in self._paths if path.startswith(listed) and is_source(path))
        return {path for path in found if self._leaves[path]}  # as above


def _neighbours(paths):
    """Return the modules that lie in each directory below the top: directory to names.

    Without those of the standard library: a package's ``typing.py`` or ``json`` is not what a neighbour means.
    """
    found = {}
    for path in paths:
        directory, name = posixpath.split(path)
        if directory and is_source(name):
            found.setdefault(directory, set()).add(posixpath.splitext(name)[0])
            parent, package = posixpath.split(directory)
            if parent:
                found.setdefault(parent, set()).add(package)
    standard = getattr(sys, "stdlib_module_names", frozenset())
    return {directory: names - standard for directory, names in found.items()}


def from_origin(run_path):
    """Tell whether a run path starts from the directory of the library that has it."""
    return run_path.split("/")[0] in ("$ORIGIN", "${ORIGIN}")


def is_source(path):
    """Tell whether Python runs a file."""
    return path.endswith((".py", ".pyw"))


def _is_native(path):
    """Tell whether a file is for the dynamic loader, which follows links."""
    return not _NATIVE.isdisjoint(posixpath.basename(path).split(".")[1:])


def _read(leaf):
    if not leaf:
        return b""
    with open(leaf, "rb") as file:
        return file.read()


def _matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def is_program(content):
    """Tell whether a file that is marked executable is a program.

    A script with ``#!`` or an ELF or Mach-O program; not the stray x bits that many wheels have on libraries and
    sources.
    """
    if content[:2] == b"#!":
        return True
    if content[:4] in _MACH_O:
        return int.from_bytes(content[12:16], "little" if content[0] != 0xFE else "big") == 2  # MH_EXECUTE
    if content[:4] != b"\x7fELF":
        return False
    import elf

    found = elf.read(content)
    return found is not None and found.program


def is_shell_script(path, content):
    """Tell whether a file that is marked executable is a script without ``#!``, which shells and ``execvp`` run.

    By its suffix; or a text without one where programs lie: a licence may have a stray x bit, and lies elsewhere.
    """
    directory, name = posixpath.split(path)
    if name.endswith(_SHELL):
        return True
    return "." not in name and posixpath.basename(directory) in _PROGRAMS and b"\0" not in content[:1024]


def is_loaded_by_dyld(content):
    """Tell whether a file is Mach-O and finds libraries from where it lies: dyld resolves links before it looks.

    A library that asks for none but the system's is the same wherever it is.
    """
    universal = content[:4] == _UNIVERSAL and int.from_bytes(content[4:8], "big") < 40  # from 45 on, a Java class
    return (content[:4] in _MACH_O or universal) and b"@loader_path" in content
