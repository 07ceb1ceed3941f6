"""Build a wheel from its source with its own build backend (PEP 517), and unpack it for the ingest.

The same source gives the same wheel, as far as its backend lets it: time, hash seed, umask, locale and paths are fixed.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile

import unpack
from cores import cores

#: What is built: the file name of the wheel, beside its files and index; or what else it needs to be built.
FILENAME = "filename"
NEEDS = "needs.json"

#: 1 January 1980, the first moment that a zip archive can name.
EPOCH = 315532800

#: How many of the last lines of a failed build are looked at for what it lacks.
_LAST = 400


def build(attributes, out):
    """Build a wheel, and unpack it into ``out``; or, where the backend asks for more than ``needs``, write all of that.

    Args:
        attributes: ``source`` (an archive or a directory), ``subdirectory`` (of the project in it), ``name``,
            ``version`` and ``unversioned`` (whether the source does not say its version), ``editable`` (whether what an
            editable build needs is to be there too), ``environment`` (where what
            the build needs is installed), ``backend``, ``backendPath`` and ``needs`` (as ``hooks`` takes them), ``env``
            and ``configSettings`` (pairs), ``programs`` (names and paths of programs), ``machine`` (directories of
            programs), ``prefixes`` (of packages) and ``flat``, as for ``unpack.unpack``.
        out: directory to make.

    Raises:
        SystemExit: the source cannot be unpacked, or the build fails; with what the user can do.
    """
    os.umask(0o022)
    top = os.path.realpath(os.getcwd())
    source = _unpacked(attributes["source"], top)
    project = os.path.join(source, attributes["subdirectory"])
    if not os.path.isdir(project):
        _fail(attributes, "its source has no directory {!r}".format(attributes["subdirectory"]))
    if not any(os.path.exists(os.path.join(project, name)) for name in ("pyproject.toml", "setup.py")):
        _fail(attributes, "it has neither a pyproject.toml nor a setup.py here (Git knows only files that were added)")
    _set_times(source)
    asked = {
        "backend": attributes["backend"],
        "backendPath": attributes["backendPath"],
        "configSettings": dict(attributes["configSettings"]),
        "needs": attributes["needs"],
        "editable": attributes["editable"],
        "wheels": os.path.join(top, "wheels"),
        "answer": os.path.join(top, "answer.json"),
    }
    os.mkdir(asked["wheels"])
    with open(os.path.join(top, "asked.json"), "x", encoding="utf-8") as file:
        json.dump(asked, file)
    python = os.path.join(attributes["environment"], "bin", "python")
    hooks = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hooks.py")
    variables = _environment(attributes, source, top)
    for program in attributes["programs"]:
        if not shutil.which(program, path=variables["PATH"]):
            _fail(
                attributes, f"the program {program}, which [tool.nixgen.build.{attributes['name']}] names, is not here"
            )
    command = [python, "-X", "utf8", hooks, file.name]
    status, said = _watched(command, project, variables)
    if status:
        _fail(attributes, f"its build backend failed with exit code {status}", said)
    with open(asked["answer"], encoding="utf-8") as file:
        answer = json.load(file)
    if "needs" in answer:
        os.mkdir(out)
        with open(os.path.join(out, NEEDS), "x", encoding="utf-8") as file:
            json.dump(answer["needs"], file)
        return
    unpack.build({"wheel": os.path.join(asked["wheels"], answer["wheel"]), "flat": attributes.get("flat", False)}, out)
    with open(os.path.join(out, FILENAME), "x", encoding="utf-8") as file:
        file.write(answer["wheel"])


def _unpacked(source, top):
    """Return the directory of a source, writable, below ``top``; an archive's is the one directory at its top."""
    target = os.path.join(top, "source")
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
        for directory, _, _ in os.walk(target):
            os.chmod(directory, 0o755)
        for directory, _, files in os.walk(target):
            for name in files:
                path = os.path.join(directory, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
        return target
    os.mkdir(target)
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                _refuse_escapes(archive.namelist(), source)
                archive.extractall(target)
                for member in archive.infolist():
                    if member.external_attr >> 16 & 0o100 and not member.is_dir():
                        os.chmod(os.path.join(target, member.filename), 0o755)
        else:
            with tarfile.open(source) as archive:
                _extract(archive, target, source)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        sys.exit(f"nixgen: the archive {os.path.basename(source)} cannot be unpacked: {error}")
    found = os.listdir(target)
    if len(found) == 1 and os.path.isdir(os.path.join(target, found[0])):
        return os.path.join(target, found[0])
    return target


def _extract(archive, target, source):
    if hasattr(tarfile, "data_filter"):
        archive.extractall(target, filter="data")
        return
    # A Python of before PEP 706: each member is looked at with the links that are there by then.
    for member in archive:
        if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            continue
        _refuse_escapes([member.name], source)
        places = [member.name]
        if member.issym():
            places.append(os.path.join(os.path.dirname(member.name), member.linkname))
        elif member.islnk():
            places.append(member.linkname)
        for place in places:
            if not _is_inside(os.path.join(target, place), target):
                _refuse(place, source)
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        member.uid = member.gid = os.getuid()
        member.uname = member.gname = ""
        archive.extract(member, target)


def _is_inside(path, directory):
    directory = os.path.realpath(directory)
    return os.path.commonpath([os.path.realpath(path), directory]) == directory


def _refuse_escapes(names, source):
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            _refuse(name, source)


def _refuse(name, source):
    sys.exit(f"nixgen: the archive {os.path.basename(source)} has a member that escapes: {name!r}")


def _set_times(source):
    """Give every file one time: that of an archive, of a checkout and of the store are others each time."""
    for directory, directories, files in os.walk(source):
        for name in directories + files:
            os.utime(os.path.join(directory, name), (EPOCH, EPOCH), follow_symlinks=False)


def _environment(attributes, source, top):
    """Return the environment variables of a build."""
    home = os.path.join(top, "home")
    os.mkdir(home)
    prefixes = attributes["prefixes"]
    programs = [os.path.dirname(program) for program in attributes["programs"] if "/" in program]
    paths = [
        os.path.join(attributes["environment"], "bin"),
        *programs,
        *_existing(prefixes, "bin"),
        os.environ.get("PATH", ""),
        *attributes["machine"],
    ]
    # The directory of a build has a number; debugging information would have it.
    mapped = f"-ffile-prefix-map={source}=/build/source"
    variables = {
        "PATH": os.pathsep.join(dict.fromkeys(path for path in paths if path)),
        "HOME": home,
        "TMPDIR": os.environ.get("TMPDIR", top),
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC0",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "MAX_JOBS": str(cores()),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(cores()),
        "MAKEFLAGS": f"-j{cores()}",
        "CARGO_HOME": os.path.join(home, "cargo"),
    }
    for name, directory in (
        ("PKG_CONFIG_PATH", "lib/pkgconfig"),
        ("PKG_CONFIG_PATH", "share/pkgconfig"),
        ("CPATH", "include"),
        ("LIBRARY_PATH", "lib"),
        ("CMAKE_PREFIX_PATH", ""),
    ):
        found = _existing(prefixes, directory)
        if found:
            variables[name] = os.pathsep.join([*filter(None, [variables.get(name)]), *found])
    if attributes["unversioned"] and attributes["version"]:
        variables.update(_versions(attributes["name"], attributes["version"]))
    variables.update(attributes["env"])
    remapped = f"--remap-path-prefix={source}=/build/source"
    for name, option in (("CFLAGS", mapped), ("CXXFLAGS", mapped), ("RUSTFLAGS", remapped)):
        variables[name] = " ".join(filter(None, [variables.get(name), option]))
    return variables


def _existing(prefixes, directory):
    paths = [os.path.join(prefix, directory) if directory else prefix for prefix in prefixes]
    return [path for path in paths if os.path.isdir(path)]


def _versions(name, version):
    """Return what tells tools that ask a repository for the version; there is none in a build."""
    suffix = name.replace("-", "_").upper()
    return {
        "SETUPTOOLS_SCM_PRETEND_VERSION": version,  # hatch-vcs too
        "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_" + suffix: version,
        "PDM_BUILD_SCM_VERSION": version,
        "POETRY_DYNAMIC_VERSIONING_BYPASS": version,
        "PBR_VERSION": version,
        "VERSIONEER_OVERRIDE": version,
    }


def _watched(command, directory, variables):
    """Run a command whose messages are the build's; return its exit status and their last lines."""
    said = []
    with subprocess.Popen(
        command,
        cwd=directory,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout:
            sys.stderr.write(line)
            said.append(line)
            del said[:-_LAST]
    sys.stderr.flush()
    return process.returncode, "".join(said)


def _fail(attributes, what, said=""):
    """End the build with what is wrong and, where that can be told, what to add."""
    import lacking

    name = attributes["name"]
    found = lacking.found(said)
    advice = "; ".join(lacking.advice(name, kind, what) for kind, what in found)
    sys.exit(
        "nixgen: {} {} cannot be built: {}{}\n  where: {}\n  what to do: {}".format(
            name,
            attributes["version"],
            what,
            "".join(f"\n    {what} is missing" for _, what in found),
            shlex.quote(attributes["source"]),
            advice or f"see what its backend says above; [tool.nixgen.build.{name}] can set env and requires",
        )
    )
