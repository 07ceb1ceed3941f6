"""An image of an environment for containers, built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nixgen.emit.nix import nix_list, nix_path, nix_set, nix_string
from nixgen.environments.build import build_choice
from nixgen.environments.choice import Choice
from nixgen.names import LIBRARY_DIRECTORY, NIX_DIRECTORY
from nixgen.observer import SILENT, Observer


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a user says of an image; the rest is the environment's.

    Attributes:
        name, tag: what it is called; None takes the environment's name.
        layers: how many it has at most.
        variables: for its containers, by name.
        command: what a container runs; none for Python.
        shell: a store path with a shell in its bin, which becomes /bin/sh; None for none.
    """

    name: str | None = None
    tag: str = "latest"
    layers: int = 100
    variables: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    shell: Path | None = None

    def arguments(self) -> dict[str, str]:
        """Return the arguments of nix/image.nix, as text of the Nix language."""
        said = {
            "tag": nix_string(self.tag),
            "layers": str(self.layers),
            "variables": nix_set({name: nix_string(value) for name, value in self.variables.items()}),
        }
        if self.name:
            said["name"] = nix_string(self.name)
        if self.command:
            said["command"] = nix_list(self.command)
        if self.shell:
            said["shell"] = f"(builtins.storePath {nix_string(str(self.shell.resolve()))})"
        return said


def build_image(choice: Choice, image: Image, out_link: Path, observer: Observer = SILENT) -> str:
    """Build an image, and return its store path.

    Args:
        choice: the environment, whose Python is one of the store.
        image: what is said of the image.
        out_link: a link to make, which keeps it from garbage collection.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``build_choice``.
    """
    library = nix_path(choice.base / NIX_DIRECTORY / LIBRARY_DIRECTORY)
    arguments = image.arguments()

    def wrap(env: str) -> str:
        return f"(import {library}).image {nix_set({'env': env, **arguments})}"

    return build_choice(choice, out_link, observer, wrap=wrap)
