"""One file of a wheel on its way into a tree: a link to its leaf or a copy, and its bytecode."""

import os

import bytecode
import copying
import placement
import record


class File:
    """A file of a wheel, and where it goes.

    Attributes:
        path: its path in the wheel.
        leaf: the file that has its content, "" where it is empty.
        target: its path in the tree.
        script: whether it is one of the wheel's scripts, which are commands.
        executable: whether the archive marks it so, or it is a script.
        program: store path of the program that it is alone, None where it is none.
    """

    __slots__ = ("executable", "leaf", "path", "program", "script", "target")

    def __init__(self, path, leaf, target, *, script=False, executable=False, program=None):
        self.path = path
        self.leaf = leaf
        self.target = target
        self.script = script
        self.executable = executable
        self.program = program

    def is_module(self):
        """Tell whether Python imports it, and looks for its bytecode."""
        return self.target.endswith(".py") and not self.script and "/site-packages/" in self.target

    def source_size(self):
        """Return how many bytes of source it has."""
        return os.path.getsize(self.leaf) if self.leaf and placement.is_source(self.path) else 0


class Placed:
    """A file as it stands in a tree.

    Attributes:
        target: its path there.
        reasons: why it is a copy, some of ``placement.REASONS``; none where it is a link, or empty.
        judged: what ``placement.Placement`` found in it, without its content.
        rewritten: of a script that runs the Python beside it now: hash and size, as RECORD has them; else None.
        shared: whether it is a link to a program that has a store path of its own.
        bytecode: path of its bytecode in the tree, None where there is none.
    """

    __slots__ = ("bytecode", "judged", "reasons", "rewritten", "shared", "target")

    def __init__(self, target, *, reasons=(), judged=placement.EMPTY, rewritten=None, shared=False):
        self.target = target
        self.reasons = reasons
        self.judged = judged
        self.rewritten = rewritten
        self.shared = shared
        self.bytecode = None


def place(file, rules, out):
    """Put a file into a tree, and its bytecode beside it.

    Args:
        file: a ``File``; the directory of its target is there.
        rules: the wheel's ``placement.Placement``.
        out: the tree.

    Returns:
        a ``Placed``.
    """
    destination = os.path.join(out, file.target)
    if file.leaf == "":
        placed, content = Placed(file.target), b""
        with open(destination, "xb"):
            pass
    else:
        placed, content = _link_or_copy(file, rules, destination)
    if file.is_module():
        compiled = bytecode.compile_source(destination, content, file.target)
        placed.bytecode = compiled and os.path.relpath(compiled, out)
    return placed


def make_copy(leaf, destination, reasons):
    """Put a copy of a leaf where nothing is."""
    copying.copy(leaf, destination, 0o555 if "executable" in reasons else 0o444)


def _link_or_copy(file, rules, destination):
    """Put a file that is not empty in its place; return a ``Placed`` and its content, None where nobody needed it."""
    judged = rules.judge(file.path, file.leaf, file.executable)
    content, reasons, leaf = judged.content, judged.reasons, file.leaf
    rewritten = _with_the_python_beside_it(content) if file.script and content else None
    if rewritten:
        content = rewritten
        reasons = ["executable"]
        judged = judged._replace(seen=None)
    elif file.script and "executable" not in reasons:
        reasons = ["executable", *reasons]  # an installer makes every script of a wheel executable
    alone = file.program and reasons == ["executable"] and not (content or b"").startswith(b"#!")
    shared = bool(alone and not judged.run_paths)
    if shared:
        leaf, reasons = file.program, []
    if not reasons:
        os.symlink(leaf, destination)
    elif rewritten:
        with open(destination, "xb") as opened:
            opened.write(content)
        os.chmod(destination, 0o555)
    else:
        make_copy(leaf, destination, reasons)
    placed = Placed(
        file.target,
        reasons=reasons,
        judged=judged._replace(content=None),  # it goes from one process to another
        rewritten=record.digest(content) if rewritten else None,
        shared=shared,
    )
    return placed, content


def _with_the_python_beside_it(script):
    import launcher

    return launcher.python_script(script) if launcher.is_python_script(script) else None
