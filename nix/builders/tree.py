"""Install one wheel into a tree: directories, links to leaves, copies with reasons, commands, bytecode, RECORD."""

import base64
import csv
import hashlib
import importlib.util
import io
import os
import posixpath
import sys

import bytecode
import layout
import manifest
import placement
from cores import cores
from processes import in_processes

#: Below this many files, starting processes costs more than it saves.
_WORTH_PROCESSES = 40


def build(attributes, out):
    """Install a wheel into ``out``.

    Args:
        attributes: ``distribution``, ``version``, ``distInfo``, ``dataDir`` ("" for none), ``commands`` (pairs of name
            and object reference), ``installer`` (a store path with INSTALLER's text), and ``files``: ``[path, leaf]``,
            with a third element where the archive marks the file executable, and a fourth, the store path of the
            program, where it may stand alone; the leaf of an empty file is "".
            ``placement``, where the user overrides the rules: see ``Placement``.
        out: directory to make.

    Raises:
        SystemExit: where two files of the wheel want the same place, or one that of the manifest.
    """
    site = layout.site_packages()
    places = layout.schemes(attributes["distribution"])
    installs = {}
    for path, leaf, *executable in sorted(attributes["files"]):
        target, scheme = layout.installed_path(path, attributes["dataDir"], places, site)
        if posixpath.normpath(target).split("/")[0] == posixpath.dirname(manifest.PATH):
            sys.exit(f"nixgen: {out} keeps {posixpath.dirname(manifest.PATH)} for itself, and the wheel has {path}")
        program = executable[1] if len(executable) > 1 else None
        install = (path, leaf, bool(executable) or scheme == "scripts", target, scheme == "scripts", program)
        if installs.setdefault(target, install)[1] != leaf:
            sys.exit(f"nixgen: {out} puts both {installs[target][0]} and {path} at {target}")
    # Bytecode that a wheel brings gives way to that of the environment's own Python, as with pip.
    for target in [target for target, install in installs.items() if _is_module(target, install[4])]:
        installs.pop(importlib.util.cache_from_source(target), None)
    installs = list(installs.values())
    for directory in sorted({posixpath.dirname(install[3]) for install in installs}):
        os.makedirs(os.path.join(out, directory), exist_ok=True)
    rules = placement.Placement({install[0]: install[1] for install in installs}, attributes.get("placement"))
    workers = min(cores(), len(installs) // _WORTH_PROCESSES)
    if workers > 1:
        # Compiling takes most of the time: each process is to get as much of it, and they are dealt out in turn.
        installs.sort(key=_source_size, reverse=True)
    placed = in_processes(_place, [(out, rules, install) for install in installs], workers)
    _copy_late(out, rules, installs, placed)

    commands = _write_commands(_with_pip_of_this_version(attributes), out)
    _write_record(attributes, site, out, installs, placed, commands)
    needed, provides = _libraries(placed)
    manifest.Manifest(
        distribution=attributes["distribution"],
        version=attributes["version"],
        copies={done["target"]: done["reasons"] for done in placed if done["reasons"]},
        programs=sorted(done["target"] for done in placed if done.get("shared")),
        launchers=sorted([*commands, *(done["target"] for done in placed if done["launcher"])]),
        descend=_leaving(out, placed),
        needed=needed,
        provides=provides,
    ).write(out)


def _source_size(install):
    path, leaf = install[:2]
    return os.path.getsize(leaf) if leaf and placement.is_source(path) else 0


def _is_module(target, is_script):
    return target.endswith(".py") and not is_script and "/site-packages/" in target


def _place(task):
    """Put one file into the tree, and its bytecode beside it."""
    out, rules, (path, leaf, executable, target, is_script, program) = task
    done = {"target": target, "reasons": [], "launcher": False, "bytecode": None, "judged": placement.EMPTY}
    destination = os.path.join(out, target)
    content = b""
    if leaf == "":
        with open(destination, "xb"):
            pass
    else:
        content = _link_or_copy(done, rules, destination, leaf, path, executable, is_script, program)
    if _is_module(target, is_script):
        compiled = bytecode.compile_source(destination, content, target)
        done["bytecode"] = compiled and os.path.relpath(compiled, out)
    return done


def _link_or_copy(done, rules, destination, leaf, path, executable, is_script, program):
    """Put a file in its place and say in ``done`` what was done; return its content, None where it was not needed."""
    judged = rules.judge(path, leaf, executable)
    content, reasons = judged.content, judged.reasons
    rewritten = _with_the_python_beside_it(content) if is_script and content else None
    if rewritten:
        content = rewritten
        done["launcher"] = True
        done["rewritten"] = _digest(content)
        reasons = ["executable"]
        judged = judged._replace(seen=None)
    elif is_script and "executable" not in reasons:
        reasons = ["executable", *reasons]  # an installer makes every script of a wheel executable
    done["judged"] = judged._replace(content=None)  # it goes from one process to another
    if program and reasons == ["executable"] and not (content or b"").startswith(b"#!") and not judged.run_paths:
        leaf, reasons = program, []
        done["shared"] = True
    done["reasons"] = reasons
    if not reasons:
        os.symlink(leaf, destination)
    elif content is not None:
        with open(destination, "xb") as file:
            file.write(content)
    else:
        _copy(leaf, destination)
    if reasons:
        os.chmod(destination, 0o555 if "executable" in reasons else 0o444)
    return content


def _with_the_python_beside_it(script):
    import launcher

    return launcher.python_script(script) if launcher.is_python_script(script) else None


def _copy(leaf, destination):
    import shutil

    shutil.copyfile(leaf, destination)


def _copy_late(out, rules, installs, placed):
    """Make copies of what only the whole wheel tells."""
    by_path = {install[0]: (install[1], done) for install, done in zip(installs, placed)}  # noqa: B905
    late = rules.late({path: done["judged"] for path, (_, done) in by_path.items()})
    for path, reasons in late.items():
        leaf, done = by_path[path]
        if not done["reasons"]:
            destination = os.path.join(out, done["target"])
            os.unlink(destination)
            _copy(leaf, destination)
            os.chmod(destination, 0o444)
        done["reasons"] = list(dict.fromkeys([*done["reasons"], *reasons]))


def _libraries(placed):
    """Return what the wheel's libraries need and provide, for the manifest."""
    files = [(done["target"], done["judged"].elf) for done in placed if done["judged"].elf]
    if not files:
        return [], []
    import libraries

    return libraries.of_wheel(files)


def _leaving(out, placed):
    """Return the directories of libraries whose run paths leave the wheel for another's, sorted.

    ``$ORIGIN`` is the directory that a library was found in, and ``..`` from there follows the file system: it has to
    be a real directory of the environment for ``../../nvidia/lib`` to arrive at another wheel's files.
    """
    found = set()
    for done in placed:
        directory = posixpath.dirname(done["target"])
        for path in done["judged"].run_paths:
            if placement.from_origin(path):
                reached = posixpath.normpath(posixpath.join(directory, *path.split("/")[1:]))
                if not os.path.isdir(os.path.join(out, reached)):
                    found.add(directory)
    return sorted(found)


def _with_pip_of_this_version(attributes):
    """Return the commands of a wheel; pip's own gets pip3.11 beside pip3, as pip and uv make it."""
    commands = attributes["commands"]
    found = [reference for name, reference in commands if attributes["distribution"] == name == "pip"]
    return commands + [["pip{}.{}".format(*sys.version_info), reference] for reference in found]


def _write_commands(references, out):
    """Write a launcher for each entry point; return each one's path with its hash and size, as RECORD wants them."""
    if not references:
        return {}
    import launcher

    commands = {}
    for name, reference in sorted(references):
        content = launcher.entry_point(reference)
        path = os.path.join(out, "bin", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # The command that an entry point defines wins over a script of the same name, as with pip.
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "xb") as file:
            file.write(content)
        os.chmod(path, 0o555)
        commands["bin/" + name] = _digest(content)
    return commands


def _digest(content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return "sha256=" + digest, str(len(content))


def _write_record(attributes, site, out, installs, placed, commands):
    """Write RECORD as an installer does (PEP 376): the wheel's rows where the files went, and what was made here."""
    target = "{}/{}/RECORD".format(site, attributes["distInfo"])
    given = {}
    with open(next(install[1] for install in installs if install[3] == target), encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if len(row) >= 3:
                given[row[0]] = tuple(row[1:3])
    installer = "{}/{}/INSTALLER".format(site, attributes["distInfo"])
    rows = {}
    for install, done in zip(installs, placed):  # noqa: B905 - `strict` is unknown to Python 3.9
        rows[install[3]] = done.get("rewritten") or given.get(install[0], ("", ""))
        if done["bytecode"]:
            rows[done["bytecode"]] = ("", "")
    rows.update(commands)
    if os.path.lexists(os.path.join(out, installer)):
        os.unlink(os.path.join(out, installer))  # a wheel that was packed from an installed distribution
    os.symlink(attributes["installer"], os.path.join(out, installer))
    with open(attributes["installer"], "rb") as file:
        rows[installer] = _digest(file.read())
    rows[target] = ("", "")

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path in sorted(rows):
        inside = path.startswith(site + "/")  # most are
        writer.writerow((path[len(site) + 1 :] if inside else posixpath.relpath(path, site), *rows[path]))
    os.unlink(os.path.join(out, target))
    with open(os.path.join(out, target), "x", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
