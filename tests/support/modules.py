"""What the JSON of a module of nixmodules says, field by field, and a repl that does as it says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Stands for the repository of nixmodules.
NIXMODULES = Path(__file__).parent / "nixmodules"

#: Fields that every module has: name, type, meaning. ``*`` stands for a name that the module's author chose.
FIELDS: Mapping[str, tuple[type, str]] = {
    "id": (str, "how a repl's configuration names the module"),
    "name": (str, "what people see of it"),
    "displayVersion": (str, "version of the language or tool that it is for"),
    "description": (str, "a line for people who choose among modules"),
    "internal": (bool, "whether only the platform's own people see it"),
    "demoted": (bool, "whether it is listed after the others"),
    "env": (dict, "variables of everything that runs in the repl"),
    "env.*": (str, "a value; $NAME in it is replaced in the repl"),
    "initializers": (dict, "what prepares a repl"),
    "runners": (dict, "how to run a file or the project"),
    "packagers": (dict, "how packages are added"),
    "debuggers": (dict, "how to debug a file"),
    "formatters": (dict, "how to format a file"),
    "languageServers": (dict, "what answers editors"),
}

_COMMAND = {
    "args": (list, "program, looked up on PATH, and its arguments"),
    "env": (dict, "variables for this command alone"),
    "env.*": (str, "a value"),
}

#: Fields of each tool.
TOOLS: Mapping[str, Mapping[str, tuple[type, str]]] = {
    "initializers": {
        "name": (str, "what people see of it"),
        "start": (dict, "what is run"),
        **{f"start.{name}": field for name, field in _COMMAND.items()},
        "runOnce": (bool, "whether the first boot of a repl is the only one"),
    },
    "runners": {
        "name": (str, "what people see of it"),
        "displayVersion": (str, "version of what runs"),
        "language": (str, "name of the language in the platform"),
        "start": (dict, "what is run; $file stands for the file"),
        **{f"start.{name}": field for name, field in _COMMAND.items()},
        "compile": (type(None), "what is run before, for languages that are compiled"),
        "fileParam": (bool, "whether it runs one file, which is to be named"),
        "interpreter": (bool, "whether it talks with its user"),
        "prompt": (str, "what an interpreter shows when it waits"),
        "productionOverride": (type(None), "other commands for deployments"),
        "extensions": (list, "suffixes of the files that it is for"),
        "files": (list, "names of the files that it is for"),
        "filePattern": (str, "pattern of the files that it is for"),
        "defaultEntrypoints": (list, "files of which the first that exists is run"),
    },
    "packagers": {
        "name": (str, "what people see of it"),
        "displayVersion": (str, "version of what adds packages"),
        "language": (str, "name of the language in UPM"),
        "ignoredPackages": (list, "packages that are not guessed from imports"),
        "ignoredPaths": (list, "directories whose imports are not looked at"),
        "env": (dict, "variables for UPM"),
        "afterInstall": (type(None), "what is run after an installation"),
        "features": (dict, "what the packager can do"),
        "features.packageSearch": (bool, "find packages by words"),
        "features.guessImports": (bool, "guess packages from imports"),
        "features.enabledForHosting": (bool, "install again where the repl is deployed"),
    },
    "debuggers": {},
    "formatters": {},
    "languageServers": {},
}


def problems(module: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each field of a module's JSON that is missing, unknown or of another type."""
    fields = {**FIELDS}
    for kind, described in TOOLS.items():
        for tool in module.get(kind, {}):
            fields[f"{kind}.{tool}"] = (dict, "one tool")
            fields.update({f"{kind}.{tool}.{name}": field for name, field in described.items()})
    found = dict(_fields(module))
    for path, value in found.items():
        known = fields.get(path) or fields.get(f"{path.rpartition('.')[0]}.*")
        if known is None:
            yield f"{path}: unknown"
        elif type(value) is not known[0]:
            yield f"{path}: not of type {known[0].__name__}"
        elif known[0] is list and not all(isinstance(entry, str) for entry in value):
            yield f"{path}: not a list of strings"
    yield from (f"{path}: missing" for path in fields if not path.endswith("*") and path not in found)


def _fields(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        yield prefix + name, inner
        if isinstance(inner, dict):
            yield from _fields(inner, f"{prefix}{name}.")


@dataclass(frozen=True, kw_only=True)
class Repl:
    """A repl with one module: what the platform does with the JSON.

    Attributes:
        home: the repl's directory.
        module: the JSON.
    """

    home: Path
    module: Mapping[str, Any]

    @classmethod
    def of_file(cls, home: Path, file: Path) -> Repl:
        """Read the JSON that moduleit has made."""
        return cls(home=home, module=json.loads(file.read_text(encoding="utf-8")))

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process in the repl: few of the machine's, and the module's with theirs replaced."""
        environment = {"HOME": str(self.home), "REPL_HOME": str(self.home), "PATH": "/usr/bin:/bin"}
        for name, value in self.module["env"].items():
            expanded = re.sub(r"\$(\w+)", lambda match: environment[match[1]], value)
            environment[name] = f"{expanded}:{environment['PATH']}" if name == "PATH" else expanded
        return environment

    def boot(self) -> str:
        """Run every initializer, and return what they print."""
        return "".join(self.run(tool["start"]["args"]) for tool in self.module["initializers"].values())

    def run_file(self, runner: str, file: str | None = None) -> str:
        """Run a file, or the first default entry point that exists, and return what it prints."""
        tool = self.module["runners"][runner]
        chosen = file or next(name for name in tool["defaultEntrypoints"] if (self.home / name).exists())
        return self.run([word.replace("$file", chosen) for word in tool["start"]["args"]])

    def run(self, command: Sequence[str]) -> str:
        """Run a command in the repl's directory, its program looked up on the repl's PATH."""
        done = subprocess.run(
            ["/usr/bin/env", *command],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout
