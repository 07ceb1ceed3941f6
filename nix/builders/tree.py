"""Install one wheel into a tree: directories, links to leaves, copies with reasons, commands, bytecode, RECORD."""

import importlib.util
import json
import os
import posixpath
import re
import sys

import layout
import manifest
import placement
import record
import requires
from cores import cores
from files import File, make_copy, place
from processes import in_processes

#: What packages call directories of what they copy to a user's: alembic/templates, django/conf/project_template.
_SCAFFOLDS = re.compile("template|skeleton|scaffold|boilerplate|starter|cookiecutter|quickstart|sample")

#: Below this many files, starting processes costs more than it saves.
_WORTH_PROCESSES = 40


def build(attributes, out):
    """Install a wheel into ``out``.

    Args:
        attributes: ``distribution``, ``version``, ``distInfo``, ``dataDir`` ("" for none), ``commands`` (pairs of name
            and object reference), ``installer`` (a store path with INSTALLER's text), ``index`` (that of the wheel's
            index), and ``files``: ``[path, leaf]``,
            with a third element where the archive marks the file executable, and a fourth, the store path of the
            program, where it may stand alone; the leaf of an empty file is "".
            ``origin``, where no index has it: the content of direct_url.json (PEP 610).
            ``placement``, where the user overrides the rules: see ``Placement``. Of a wheel of which nothing is pinned,
            ``built`` stands for all that its index says: what the builder "wheel" made.
        out: directory to make.

    Raises:
        SystemExit: where two files of the wheel want the same place, or one that of the manifest; where it needs a
            newer Python than this.
    """
    site = layout.site_packages()
    attributes = _described(attributes)
    files = files_of(attributes, site, out)
    for file in files:
        if file.path == attributes["distInfo"] + "/METADATA" and file.leaf:
            requires.check(file.leaf, attributes["distribution"], attributes["version"])
    for directory in sorted({posixpath.dirname(file.target) for file in files}):
        os.makedirs(os.path.join(out, directory), exist_ok=True)
    rules = placement.Placement({file.path: file.leaf for file in files}, attributes.get("placement"))
    workers = min(cores(), len(files) // _WORTH_PROCESSES)
    if workers > 1:
        # Compiling takes most of the time: each process is to get as much of it, and they are dealt out in turn.
        files.sort(key=File.source_size, reverse=True)
    placed = in_processes(lambda file: place(file, rules, out), files, workers)
    copy_late(out, rules, files, placed)

    distribution, dist_info = attributes["distribution"], site + "/" + attributes["distInfo"]
    commands = _write_commands(_with_pip_of_this_version(distribution, attributes["commands"]), out)
    rows = _rows(dist_info + "/RECORD", files, placed)
    rows.update(commands)
    rows[dist_info + "/INSTALLER"] = _link_installer(attributes["installer"], os.path.join(out, dist_info))
    if "origin" in attributes:
        rows[dist_info + "/direct_url.json"] = _write_origin(attributes["origin"], os.path.join(out, dist_info))
    record.write(out, dist_info + "/RECORD", site, rows)
    needed, provides = _libraries(placed)
    manifest.Manifest(
        distribution=distribution,
        version=attributes["version"],
        index=attributes["index"],
        copies={done.target: done.reasons for done in placed if done.reasons},
        programs=sorted(done.target for done in placed if done.shared),
        launchers=sorted([*commands, *(done.target for done in placed if done.rewritten)]),
        looking=_looking(placed),
        inspects=any(done.judged.seen and done.judged.seen.inspects for done in placed),
        scaffolds=_scaffolds(files, placed),
        descend=_leaving(out, placed),
        needed=needed,
        provides=provides,
    ).write(out)


def _described(attributes):
    """Return the attributes of ``build`` with what a build's index says; its files lie where they were built."""
    built = attributes.get("built")
    if built is None or "files" in attributes:
        return attributes
    index = os.path.join(built, "index.json")
    if not os.path.exists(index):
        sys.exit(f"nixgen: {built} has no wheel: its backend asks for more than the lock has; run `nixgen lock`")
    with open(index, encoding="utf-8") as file:
        said = json.load(file)
    commands = {**said.get("scripts", {}).get("console", {}), **said.get("scripts", {}).get("gui", {})}
    return {
        **attributes,
        "distInfo": said["distInfo"],
        "dataDir": said.get("dataDir", ""),
        "commands": [list(pair) for pair in sorted(commands.items())],
        "index": index,
        "files": list(_listed(said["files"], "", os.path.join(built, "files"))),
    }


def _listed(directory, prefix, root):
    """Yield the files of an index's tree as ``build`` takes them."""
    for name, entry in directory.items():
        path = prefix + name
        if isinstance(entry, dict):
            yield from _listed(entry, path + "/", root)
        elif not entry:
            yield [path, ""]
        else:
            yield [path, os.path.join(root, path), *(["x"] if "x" in entry else [])]


def files_of(attributes, site, out):
    """Return the files (``File``) that a tree has of its wheel.

    What else stands in it is made: bytecode, commands, RECORD and INSTALLER.

    Args:
        attributes: as ``build`` has them.
        site: where site-packages lies in the tree.
        out: the tree, for messages.

    Raises:
        SystemExit: as ``build``.
    """
    attributes = _described(attributes)
    places = layout.schemes(attributes["distribution"])
    own = posixpath.dirname(manifest.PATH)
    files = {}
    for path, leaf, *marks in sorted(attributes["files"]):
        target, scheme = layout.installed_path(path, attributes["dataDir"], places, site)
        if posixpath.normpath(target).split("/")[0] == own:
            sys.exit(f"nixgen: {out} keeps {own} for itself, and the wheel has {path}")
        script = scheme == "scripts"
        program = marks[1] if len(marks) > 1 else None
        file = File(path, leaf, target, script=script, executable=script or bool(marks), program=program)
        first = files.setdefault(target, file)
        if first.leaf != leaf:
            sys.exit(f"nixgen: {out} puts both {first.path} and {path} at {target}")
    # Bytecode that a wheel brings gives way to that of the environment's own Python, as with pip.
    for module in [file for file in files.values() if file.is_module()]:
        files.pop(importlib.util.cache_from_source(module.target), None)
    return list(files.values())


def copy_late(out, rules, files, placed):
    """Make copies of what only the whole wheel tells, and note it in what was placed.

    Args:
        out: the tree.
        rules: the wheel's ``placement.Placement``.
        files, placed: each ``File`` of the wheel, and what ``place`` gave for it.
    """
    by_path = {file.path: (file, done) for file, done in zip(files, placed)}  # noqa: B905 - see _rows
    late = rules.late({path: done.judged for path, (_, done) in by_path.items()})
    for path, reasons in late.items():
        file, done = by_path[path]
        if done.shared:
            reasons = ["executable", *reasons]
            done.shared = False
        if not done.reasons:
            destination = os.path.join(out, done.target)
            os.unlink(destination)
            make_copy(file.leaf, destination, reasons)
        done.reasons = list(dict.fromkeys([*done.reasons, *reasons]))


def _libraries(placed):
    """Return what the wheel's libraries need and provide, for the manifest."""
    found = [(done.target, done.judged.elf) for done in placed if done.judged.elf]
    if not found:
        return [], []
    import libraries

    return libraries.of_wheel(found)


def _looking(placed):
    """Return the libraries that are not linked and look for others beside them, for the manifest."""
    if not any(done.judged.run_paths for done in placed):
        return []
    import plugins

    return plugins.of_wheel({done.target: done.judged.elf for done in placed if done.judged.elf})[1]


def _scaffolds(files, placed):
    """Return the templates of projects, by the names of directories, of a wheel with code that copies with modes."""
    if not any(done.judged.seen and done.judged.seen.copies for done in placed):
        return []
    return sorted(file.target for file in files if file.leaf and _SCAFFOLDS.search(posixpath.dirname(file.path)))


def _leaving(out, placed):
    """Return the directories of libraries whose run paths leave the wheel for another's, sorted.

    ``$ORIGIN`` is the directory that a library was found in, and ``..`` from there follows the file system: it has to
    be a real directory of the environment for ``../../nvidia/lib`` to arrive at another wheel's files.
    """
    found = set()
    for done in placed:
        directory = posixpath.dirname(done.target)
        for path in done.judged.run_paths:
            if placement.from_origin(path):
                reached = posixpath.normpath(posixpath.join(directory, *path.split("/")[1:]))
                if not os.path.isdir(os.path.join(out, reached)):
                    found.add(directory)
    return sorted(found)


def _with_pip_of_this_version(distribution, commands):
    """Return the commands of a wheel; pip's own gets pip3.11 beside pip3, as pip and uv make it."""
    found = [reference for name, reference in commands if distribution == name == "pip"]
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
        commands["bin/" + name] = record.digest(content)
    return commands


def _rows(path, files, placed):
    """Return RECORD's rows for a wheel's files, as its own RECORD has them, and for what was made of them.

    Args:
        path: where RECORD goes.
        files: those of the wheel.
        placed: what became of each.
    """
    given = record.read(next(file.leaf for file in files if file.target == path))
    rows = {}
    for file, done in zip(files, placed):  # noqa: B905 - `strict` is unknown to Python 3.9
        rows[done.target] = done.rewritten or given.get(file.path, record.UNSAID)
        if done.bytecode:
            rows[done.bytecode] = record.UNSAID
    return rows


def _write_origin(origin, dist_info):
    """Write where the wheel comes from (PEP 610); return hash and size."""
    content = json.dumps(origin, sort_keys=True).encode()
    path = os.path.join(dist_info, "direct_url.json")
    if os.path.lexists(path):
        os.unlink(path)  # as of INSTALLER
    with open(path, "xb") as file:
        file.write(content)
    os.chmod(path, 0o444)
    return record.digest(content)


def _link_installer(leaf, dist_info):
    """Make INSTALLER (PEP 376) a link to its leaf; return its hash and size."""
    path = os.path.join(dist_info, "INSTALLER")
    if os.path.lexists(path):
        os.unlink(path)  # a wheel that was packed from an installed distribution
    os.symlink(leaf, path)
    with open(leaf, "rb") as file:
        return record.digest(file.read())
