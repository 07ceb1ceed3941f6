"""``nixgen serve``, run as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.support.cli import Cli

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Served:
    """Serve until the block ends.

    Attributes:
        index: URL of the index, as installers take it, or the path of the socket.
        said: what it has printed on standard error, once it has ended.
        code: its exit code, likewise.
    """

    cli: Cli
    arguments: tuple[str | Path, ...] = ()
    port: int = 0
    index: str = field(default="", init=False)
    said: str = field(default="", init=False)
    code: int | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.process = self.cli.start("serve", "--json", "--port", str(self.port), *self.arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.index = next(iter(json.loads(line).values()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ask it to end, and wait for that."""
        if self.code is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.said = self.process.communicate(timeout=60)[1]
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            self.code = self.process.returncode

    @property
    def base(self) -> str:
        """Its URL, with a slash at the end."""
        return self.index.removesuffix("simple/")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for what is below it."""
        return httpx.get(self.base + path, headers=headers, timeout=60)

    def files(self, name: str) -> dict[str, dict[str, object]]:
        """Return what the page of a project says, by file name, with URLs below it."""
        answer = self.get(f"simple/{name}/", accept=JSON)
        answer.raise_for_status()
        files = answer.json()["files"]
        return {file["filename"]: {**file, "path": file["url"].removeprefix("../../")} for file in files}

    def file(self, filename: str, **headers: str) -> httpx.Response:
        """Ask for a file by the URL that the page of its project has."""
        return self.get(str(self.files(filename.split("-")[0])[filename]["path"]), **headers)
