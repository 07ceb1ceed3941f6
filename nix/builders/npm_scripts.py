"""Make the store path of an instance of a package whose install scripts may run, and run them in it.

What they find is what npm gives them (``@npmcli/run-script``: ``set-path.js``, ``package-envs.js``,
``make-spawn-args.js``; ``@npmcli/config``: ``set-envs.js``), where packages are links (arborist, ``rebuild.js``). What
npm says of a place in the tree (``npm_package_dev``, ``npm_package_resolved``) is left out: a store path has none.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys

import npm_instance

#: When npm runs which script: one of all packages, and then the next one.
EVENTS = ("preinstall", "install", "postinstall")

#: 1 January 1980, as for builds of Python's sources.
EPOCH = 315532800

#: Where programs of the machine are, which a build sees where no sandbox hides them.
_MACHINE = ("/usr/local/bin", "/usr/bin", "/bin")

#: What first lines of scripts name, and a sandbox does not have.
_ENV = "/usr/bin/env"

_MODULES = "node_modules"


def build(attributes, out):
    """Make the directory ``out`` as ``npm_instance.build`` does, and run install scripts in it.

    Args:
        attributes: ``node`` (a directory with bin/node), and those of ``npm_instance.build``; of each package whose
            scripts run also ``scripts``: commands by what npm calls them.
        out: directory to make.

    Raises:
        SystemExit: as ``npm_instance.build``; a script fails, or what runs it is not there, with the package's name.
    """
    os.umask(0o022)
    packages = attributes["packages"]
    npm_instance.build(attributes, out)
    top = os.path.realpath(os.getcwd())
    common = _common(attributes["node"], top)
    instances = []
    for number, package in enumerate(packages):
        around = out if len(packages) == 1 else os.path.join(out, str(number))
        instances.append((package, os.path.join(around, _MODULES)))
    made = []
    for package, modules in instances:
        for directory in (modules, os.path.join(modules, package["name"], _MODULES)):
            made += _link_commands(directory)
    for event in EVENTS:
        for package, modules in instances:
            command = package.get("scripts", {}).get(event)
            if command:
                _run(event, command, package["name"], modules, common)
    for place in made:
        if os.path.lexists(place):
            os.unlink(place)
    for directory in {os.path.dirname(place) for place in made}:
        if os.path.isdir(directory) and not os.listdir(directory):
            os.rmdir(directory)


def _common(node, top):
    """Return the variables that all scripts have, of which PATH is what comes after the packages' commands."""
    program = os.path.join(node, "bin", "node")
    code = "const p = process; console.log([p.version, p.platform, p.arch].join(' '))"
    try:
        said = subprocess.run(
            [program, "-e", code], stdout=subprocess.PIPE, encoding="utf-8", check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"nixgen: install scripts are to run, and their Node.js does not: {error}\n  where: {program}\n"
            "  what to do: name one that does, as `node`; where Nix builds in a sandbox, it has to lie in the store"
        )
    home, programs = os.path.join(top, "home"), os.path.join(top, "programs")
    os.mkdir(home)
    os.mkdir(programs)
    paths = [programs, os.path.dirname(program), *os.environ.get("PATH", "").split(os.pathsep), *_MACHINE]
    cores = os.environ.get("NIX_BUILD_CORES", "1")
    variables = {
        "PATH": os.pathsep.join(dict.fromkeys(filter(None, paths))),
        "HOME": home,
        "TMPDIR": os.environ.get("TMPDIR", top),
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC0",
        "PYTHONDONTWRITEBYTECODE": "1",  # node-gyp is a program of Python's for the most part
        "JOBS": "max" if cores == "0" else cores,  # node-gyp's
        "NODE": program,
        "npm_node_execpath": program,
        "npm_command": "ci",
        "npm_config_cache": os.path.join(home, ".npm"),
        "npm_config_global_prefix": node,
        "npm_config_update_notifier": "false",
    }
    if os.path.isfile(os.path.join(node, "include", "node", "node.h")):
        variables["npm_config_nodedir"] = node  # node-gyp would fetch the headers
    npm = _npm(node)
    version = "unknown"
    if npm is not None:
        version = _manifest(npm).get("version", version)
        variables["npm_execpath"] = os.path.join(npm, "bin", "npm-cli.js")
        gyp = os.path.join(npm, _MODULES, "node-gyp", "bin", "node-gyp.js")
        if os.path.isfile(gyp):
            variables["npm_config_node_gyp"] = gyp
            _write_program(os.path.join(programs, "node-gyp"), 'node "$npm_config_node_gyp"')
    variables["npm_config_npm_version"] = version
    number, platform, arch = said.split()
    variables["npm_config_user_agent"] = f"npm/{version} node/{number} {platform} {arch} workspaces/false"
    return variables


def _npm(node):
    """Return the directory of the npm that a Node.js has; None where it has none."""
    program = os.path.realpath(os.path.join(node, "bin", "npm"))
    for place in (os.path.dirname(os.path.dirname(program)), os.path.join(node, "lib", _MODULES, "npm")):
        if os.path.isfile(os.path.join(place, "bin", "npm-cli.js")):
            return place
    return None


def _run(event, command, name, modules, common):
    """Run a script of a package in ``modules``, or end the build."""
    directory = os.path.join(modules, name)
    manifest = _manifest(directory)
    paths = [os.path.join(directory, _MODULES, ".bin"), os.path.join(modules, ".bin"), common["PATH"]]
    variables = {
        **common,
        **_of_package(manifest),
        "PATH": os.pathsep.join(paths),
        # A neighbour's command looks for modules from where it lies itself; npm does so for packages that are links.
        "NODE_PATH": modules,
        "INIT_CWD": directory,
        "npm_config_local_prefix": directory,
        "npm_lifecycle_event": event,
        "npm_lifecycle_script": command,
        "npm_package_json": os.path.join(directory, "package.json"),
    }
    what = f"the script {event} of {name} {manifest.get('version', '')}".rstrip()
    lacks_gyp = "node-gyp" in command and shutil.which("node-gyp", path=variables["PATH"]) is None
    if lacks_gyp and command.split()[0] == "node-gyp":
        sys.exit(f"nixgen: {what} needs node-gyp, which is not there: {command}\n{_GYP}")
    print(f"> {name} {event}: {command}", file=sys.stderr, flush=True)
    # Its messages are the build's, whose end Nix shows.
    done = subprocess.run(
        [shutil.which("sh", path=variables["PATH"]) or "/bin/sh", "-c", command],
        cwd=directory,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode:
        todo = f"see what it says above, or do without: take {name} from the scripts that are allowed, and lock again"
        sys.exit(
            f"nixgen: {what} failed with exit code {done.returncode}: {command}\n"
            + (_GYP if lacks_gyp else f"  where: nixgen.lock, npm.scripts\n  what to do: {todo}")
        )


#: What to do without node-gyp, which npm brings.
_GYP = "  where: PATH, and the npm of `node`\n  what to do: name a Node.js that has npm beside it"


def _of_package(manifest):
    """Return what npm says to scripts of a package (npm's RFC 21)."""
    found = {}

    def say(name, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                say(f"{name}_{key}", inner)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                say(f"{name}_{number}", inner)
        elif value is None or value is False:
            found[name] = ""
        else:
            found[name] = "true" if value is True else str(value)

    for key in ("name", "version", "config", "engines", "bin"):
        if key in manifest:
            say(f"npm_package_{key}", _commands(manifest) if key == "bin" else manifest[key])
    return {key: value for key, value in found.items() if "=" not in key and "\0" not in key + value}


def _link_commands(modules):
    """Make ``.bin`` of a directory of packages, of those that it has not; return what was made."""
    made = []
    for name in _names(modules):
        directory = os.path.join(modules, name)
        for command, path in sorted(_commands(_manifest(directory)).items()):
            place, program = os.path.join(modules, ".bin", command), os.path.join(directory, path)
            if os.path.lexists(place) or not os.path.isfile(program):
                continue
            if not os.path.islink(directory):
                npm_instance.make_program(program)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            _put_command(place, program)
            made.append(place)
    return made


def _put_command(place, program):
    """Make a link to a program, or what starts it where its first line names what is not there."""
    with open(program, "rb") as file:
        words = file.readline(2048).decode("utf-8", "replace").split()
    if words[:1] == ["#!" + _ENV] and len(words) > 1 and not os.path.exists(_ENV):
        words = words[2:] if words[1] == "-S" else words[1:]
        _write_program(place, " ".join(map(shlex.quote, [*words, program])))
    else:
        os.symlink(program, place)


def _write_program(place, command):
    with open(place, "x", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {command} "$@"\n')
    os.chmod(place, 0o755)


def _names(modules):
    for name in sorted(os.listdir(modules)) if os.path.isdir(modules) else ():
        if name.startswith("@"):
            for inner in sorted(os.listdir(os.path.join(modules, name))):
                yield f"{name}/{inner}"
        elif not name.startswith("."):
            yield name


def _commands(manifest):
    """Return the paths of a package's commands by their names, which never lead out of it."""
    said = manifest.get("bin")
    said = {str(manifest.get("name", "")): said} if isinstance(said, str) else said
    said = said if isinstance(said, dict) else {}
    return {
        os.path.basename(name): os.path.normpath("/" + path).lstrip("/")
        for name, path in said.items()
        if isinstance(path, str) and os.path.basename(name) not in ("", ".", "..")
    }


def _manifest(directory):
    try:
        with open(os.path.join(directory, "package.json"), encoding="utf-8-sig") as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


if __name__ == "__main__":
    with open(os.environ["attributesPath"], encoding="utf-8") as said:  # noqa: SIM112 - the names are Nix's
        build(json.load(said), os.environ["out"])  # noqa: SIM112
