"""Print what Poetry would install of a lock in environments that are not here; run by the Python that has Poetry.

Its own installer does the work, in the stand-in for an environment that it has itself. Standard input is JSON: the
project's ``directory``, the ``environments`` (markers, PEP 508) and the ``selections`` (lists of groups); the output
has for each environment and selection the name and version of every package.
"""

import json
import sys
from pathlib import Path

from cleo.io.null_io import NullIO
from poetry.factory import Factory
from poetry.installation.executor import Executor
from poetry.installation.installer import Installer
from poetry.repositories.installed_repository import InstalledRepository
from poetry.utils.env import MockEnv


class Recorder(Executor):
    """Keeps the operations instead of carrying them out."""

    def execute(self, operations):
        self.recorded = [operation for operation in operations if not operation.skipped]
        return 0


def main():
    asked = json.load(sys.stdin)
    json.dump([[install(asked["directory"], markers, groups) for groups in asked["selections"]]
               for markers in asked["environments"]], sys.stdout)  # fmt: skip


def install(directory, markers, groups):
    poetry = Factory().create_poetry(Path(directory))
    version = tuple(map(int, markers["python_full_version"].split(".")))
    environment = MockEnv(
        version_info=version,
        platform=markers["sys_platform"],
        platform_machine=markers["platform_machine"],
        os_name=markers["os_name"],
        marker_env={**markers, "version_info": version, "interpreter_name": "cpython"},
    )
    recorder = Recorder(environment, poetry.pool, poetry.config, NullIO())
    installer = Installer(
        NullIO(),
        environment,
        poetry.package,
        poetry.locker,
        poetry.pool,
        poetry.config,
        installed=InstalledRepository(),
        executor=recorder,
    )
    installer.only_groups(set(groups))
    installer.dry_run()
    if installer.run() != 0:
        raise SystemExit("Poetry's installer failed")
    return [
        (operation.package.name, str(operation.package.version))
        for operation in recorder.recorded
        if operation.job_type == "install"
    ]


main()
