"""Print what PDM would install of a lock in environments that are not here; run by the Python that has PDM.

Standard input is JSON: the project's ``directory``, the ``environments`` (each the ``python`` and ``platform`` as PDM
names them) and the ``selections`` (lists of groups); the output has for each environment and selection the name and
version of every package.
"""

import contextlib
import json
import sys

from pdm.cli.actions import resolve_from_lockfile
from pdm.core import Core
from pdm.models.markers import EnvSpec


def main():
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        found = [
            [install(asked["directory"], environment, groups) for groups in asked["selections"]]
            for environment in asked["environments"]
        ]
    json.dump(found, sys.stdout)


def install(directory, environment, groups):
    project = Core().create_project(directory)
    spec = EnvSpec.from_spec(f"=={environment['python']}", environment["platform"], "cpython")
    requirements = [one for group in groups for one in project.get_dependencies(group)]
    packages = resolve_from_lockfile(project, requirements, groups=groups, env_spec=spec)
    return sorted({(package.candidate.name, package.candidate.version) for package in packages})


main()
