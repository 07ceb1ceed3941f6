"""An environment that is compared with another, and what runs in it: as with a user who has it active."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.processes import Done, Processes


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two environments.

    Attributes:
        environment: its directory.
        scratch: directory for what programs write.
        prefix: words before each command.
    """

    environment: Path
    scratch: Path
    prefix: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """The environment's interpreter."""
        return str(self.environment / "bin" / "python")

    def run(
        self, processes: Processes, words: Sequence[object], timeout: float, *, of_environment: bool = True
    ) -> Done:
        """Run a command in an empty working directory; one that cannot start ends with 127.

        Args:
            processes: runs it.
            words: the command, with its name or its path.
            timeout: in seconds.
            of_environment: whether it is a program of the environment, by its name.
        """
        program, *arguments = map(str, words)
        if of_environment:
            program = str(self.environment / "bin" / program)
        cwd = self.scratch / "cwd"
        shutil.rmtree(cwd, ignore_errors=True)
        for directory in (cwd, self.scratch / "home", self.scratch / "tmp"):
            directory.mkdir(parents=True, exist_ok=True)
        try:
            return processes.run([*self.prefix, program, *arguments], cwd=cwd, env=self._variables(), timeout=timeout)
        except OSError as error:
            return Done(code=127, out="", err=str(error))

    def _variables(self) -> dict[str, str]:
        """Return the variables of a user who has this environment active: no settings of pip or Nix."""
        return {
            "PATH": f"{self.environment}/bin:/usr/bin:/bin",
            "VIRTUAL_ENV": str(self.environment),
            "HOME": str(self.scratch / "home"),
            "TMPDIR": str(self.scratch / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "PYTHONHASHSEED": "0",
            "CUDA_VISIBLE_DEVICES": "",
            "QT_QPA_PLATFORM": "offscreen",
            "SDL_VIDEODRIVER": "dummy",
            "SDL_AUDIODRIVER": "dummy",
        }
