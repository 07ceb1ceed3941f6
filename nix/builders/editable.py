"""Install projects into a virtual environment so that an edit shows (PEP 660), by their own build backends.

    python editable.py DIR ASKED [BASE]

Runs outside of Nix, in the projects: their backends write paths of theirs. DIR is a virtual environment of nixgen's,
ASKED a file of the store that says what there is to install, and how; BASE the directory that the projects' paths start
from, which DIR remembers. What is installed already, of the same pyproject.toml at the same place, is left alone.
"""

import configparser
import hashlib
import json
import os
import posixpath
import shutil
import subprocess
import sys
import tempfile
import zipfile
from urllib.request import pathname2url

import launcher
import layout
import record

#: What is installed, below DIR.
STATE = os.path.join(".nixgen", "editable.json")

#: What decides how a project is built, beside what it is built with.
_DECISIVE = ("pyproject.toml", "setup.py", "setup.cfg")


def main():
    """Do what the command line says; the exit code is 1 where a project cannot be installed."""
    directory, asked_path = map(os.path.abspath, sys.argv[1:3])
    state = _read(os.path.join(directory, STATE)) or {}
    base = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else os.path.join(directory, state.get("base", ".."))
    with open(asked_path, encoding="utf-8") as file:
        asked = json.load(file)
    installed = dict(state.get("packages", {}))
    failed = False
    for name in sorted(set(installed) - {package["name"] for package in asked["packages"]}):
        _remove(directory, installed.pop(name)["files"])
    for package in asked["packages"]:
        project = os.path.normpath(os.path.join(base, package["directory"]))
        made_of = _made_of(package, project)
        before = installed.get(package["name"])
        if before and before["of"] == made_of and _is_there(directory, before["files"]):
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="nixgen-") as scratch:
                wheel = _build(package, project, scratch)
                _remove(directory, before["files"] if before else [])
                files = _install(wheel, directory, project)
        except (OSError, ValueError, zipfile.BadZipFile, configparser.Error) as error:
            failed = True
            _say("{} cannot be made editable, from {}: {}".format(package["name"], project, error))
            continue
        installed[package["name"]] = {"of": made_of, "files": files}
        _keep(directory, base, installed)
        _say("{} is editable, from {}".format(package["name"], project))
    _keep(directory, base, installed)
    sys.exit(1 if failed else 0)


def _keep(directory, base, installed):
    """Write what is installed, and where from: where DIR lies in the project, both move together."""
    inside = os.path.commonpath([base, directory]) == base
    kept = {"base": os.path.relpath(base, directory) if inside else base, "packages": installed}
    _write(os.path.join(directory, STATE), kept)


def _say(text):
    sys.stderr.write(text + "\n")


def _made_of(package, project):
    """Return a hash of all that an editable installation depends on."""
    digest = hashlib.sha256(json.dumps([package, project], sort_keys=True).encode())
    for name in _DECISIVE:
        path = os.path.join(project, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                digest.update(name.encode() + file.read())
    return digest.hexdigest()


def _build(package, project, scratch):
    """Let the backend build an editable wheel, and return its path."""
    environment = package["environment"]
    asked = {
        "backend": package["backend"],
        "backendPath": package["backendPath"],
        "configSettings": dict(package["configSettings"]),
        "needs": package["needs"],
        "editable": True,
        "hook": "build_editable",
        "wheels": scratch,
        "answer": os.path.join(scratch, "answer.json"),
    }
    _write(os.path.join(scratch, "asked.json"), asked)
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    variables.update(dict(package["env"]))
    binaries = os.path.join(environment, "bin")
    variables["PATH"] = os.pathsep.join([binaries, variables.get("PATH", os.defpath)])
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    hooks = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hooks.py")
    done = subprocess.run(
        [os.path.join(binaries, "python"), "-X", "utf8", hooks, os.path.join(scratch, "asked.json")],
        cwd=project,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise ValueError("its build backend fails:\n" + done.stdout.rstrip())
    answer = _read(asked["answer"]) or {}
    if "wheel" not in answer:
        raise ValueError("its backend asks for more than the lock has: run `nixgen lock`")
    return os.path.join(scratch, answer["wheel"])


def _install(wheel, directory, project):
    """Install a wheel into a virtual environment, and return its files, relative to that."""
    site = layout.site_packages()
    name = os.path.basename(wheel).split("-")[0]
    places = layout.schemes(name)
    rows = {}

    def put(target, content, executable=False):
        path = os.path.join(directory, target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # A link there leads into the store.
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "xb") as file:
            file.write(content)
        if executable:
            os.chmod(path, 0o755)
        rows[target] = record.digest(content)

    with zipfile.ZipFile(wheel) as archive:
        members = [member.filename for member in archive.infolist() if not member.is_dir()]
        for member in members:
            if member.startswith("/") or ".." in member.split("/"):
                raise ValueError(f"its wheel has a member that escapes: {member!r}")
        dist_info = next((top for top in (name.split("/")[0] for name in members) if top.endswith(".dist-info")), None)
        if dist_info is None:
            raise ValueError("its wheel has no .dist-info directory")
        data = dist_info[: -len(".dist-info")] + ".data"
        data = data if any(member.startswith(data + "/") for member in members) else ""
        for member in members:
            if member == dist_info + "/RECORD":
                continue
            target, scheme = layout.installed_path(member, data, places, site)
            content = archive.read(member)
            if scheme == "scripts" and launcher.is_python_script(content):
                content = launcher.python_script(content)
            put(target, content, executable=scheme == "scripts")
        if dist_info + "/entry_points.txt" in members:
            for command, reference in _commands(archive.read(dist_info + "/entry_points.txt").decode("utf-8")):
                put("bin/" + command, launcher.entry_point(reference), executable=True)
    put(posixpath.join(site, dist_info, "INSTALLER"), b"nixgen\n")
    origin = {"url": "file://" + pathname2url(project), "dir_info": {"editable": True}}
    put(posixpath.join(site, dist_info, "direct_url.json"), json.dumps(origin).encode())
    own = posixpath.join(site, dist_info, "RECORD")
    put(own, b"")
    record.write(directory, own, site, rows)
    return sorted(rows)


def _commands(text):
    """Yield the name and object reference of each command that an entry_points.txt defines."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    for group in ("console_scripts", "gui_scripts"):
        if parser.has_section(group):
            for name, value in parser.items(group):
                module, _, attribute = value.partition("[")[0].strip().partition(":")
                yield name, f"{module.strip()}:{attribute.strip()}"


def _is_there(directory, files):
    return all(os.path.isfile(os.path.join(directory, path)) for path in files)


def _remove(directory, files):
    """Remove what was installed, and directories that are empty then."""
    for path in files:
        full = os.path.join(directory, path)
        if os.path.lexists(full) and not os.path.isdir(full):
            os.unlink(full)
    for parent in sorted({os.path.dirname(path) for path in files}, reverse=True):
        if parent.endswith(".dist-info"):
            shutil.rmtree(os.path.join(directory, parent), ignore_errors=True)


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
