"""Make the environment of a lock's npm packages: directories of links, one for each name that a project can import."""

import json
import os

import npm_layout
import npm_lockfile

#: What npm and npx of a Node.js are called beside it.
_PROGRAMS = ("node", "npm", "npx", "corepack")


def build(attributes, out):
    """Make the directory ``out``, with ``node_modules`` of the project and of its workspaces, and ``bin``.

    Args:
        attributes: ``node`` (a directory with bin/node, or None) and ``packages``, as ``npm_lockfile.text`` takes them,
            with ``bin``: pairs of a name and a path.
        out: directory to make.
    """
    packages = attributes["packages"]
    os.makedirs(os.path.join(out, "bin"))
    top = npm_layout.directories(packages)
    for directory, members in {"": {}, **top}.items():
        modules = os.path.join(directory, "node_modules")
        os.makedirs(os.path.join(out, modules))
        for name, package in members.items():
            place = os.path.join(modules, name)
            target = package.get("path") or npm_layout.way_to(package["link"], place)
            _link(target, os.path.join(out, place))
        for command, target in npm_layout.commands(members).items():
            _link(target, os.path.join(out, modules, ".bin", command))
    with open(os.path.join(out, "node_modules", npm_lockfile.NAME), "x", encoding="utf-8") as file:
        file.write(npm_lockfile.digest(packages))
    os.mkdir(os.path.join(out, "nix-support"))
    with open(os.path.join(out, "nix-support", "nixgen-npm.json"), "x", encoding="utf-8") as file:
        json.dump({"directories": sorted({"", *top})}, file)
    _programs(os.path.join(out, "bin"), npm_layout.commands(top.get("", {})), attributes["node"])


def _programs(directory, commands, node):
    for command, target in commands.items():
        place = os.path.join(directory, command)
        _link(os.path.normpath(f"../node_modules/.bin/{target}"), place)
        if not os.path.exists(place):
            os.unlink(place)  # of a directory of the project
    for name in _PROGRAMS if node else ():
        program = os.path.join(node, "bin", name)
        if os.path.exists(program) and (name == "node" or name not in commands):
            place = os.path.join(directory, name)
            if os.path.lexists(place):
                os.unlink(place)
            os.symlink(program, place)


def _link(target, place):
    os.makedirs(os.path.dirname(place), exist_ok=True)
    os.symlink(target, place)
