"""The store: the only package that runs Nix."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.emit.nix import LIST_OF_LEAVES, TEXTS, nix_string
from nixgen.errors import NixError
from nixgen.store.builds import Builds
from nixgen.store.queries import Queries, Registration, batches
from nixgen.temporary import temporary_directory

__all__ = ["Registration", "Store", "Text"]

#: How the files of a repository are fetched; nix/build.nix does the same.
_OF_GIT = "allRefs = true; submodules = true;"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text for the store.

    Attributes:
        name: of its store path.
        content: what it says.
        keeps: the valid store paths that are its references, named in it or not.
    """

    name: str
    content: str
    keeps: Collection[str]


class Store(Queries, Builds):
    """The Nix store of this machine, as the environment (``NIX_REMOTE``, ``NIX_STORE_DIR``, …) names it.

    Args:
        options: further Nix settings by name, as ``--option`` takes them.
    """

    def register(self, registrations: Iterable[Registration]) -> None:
        """Tell Nix's database of store paths that are there, in place of what it says of them.

        Raises:
            NixError: the database cannot be written directly, as with a daemon, or a reference is not valid.
        """
        text = "".join(f"{line}\n" for registration in registrations for line in registration.lines())
        self._run("nix-store", "--load-db", given=text)

    def repair(self, path: str) -> None:
        """Let Nix fetch or build a valid store path again whose content is another.

        Raises:
            NixError: it cannot, or may not.
        """
        with self._scratch() as temporary:
            self._run("nix-store", "--repair-path", path, temporary=temporary)

    def keep(self, paths: Iterable[str], add: Iterable[tuple[str, str, Path]], link: Path) -> None:
        """Keep some leaves from garbage collection as long as a link is there, some of which are added first.

        The link leads to a text in the store that lists them: what such a text names belongs to its closure
        (``builtins.toFile``). Adding and listing are one evaluation, so that no collection comes between them.

        Args:
            paths: store paths that are valid.
            add: name, SHA-256 (base64) and file of each leaf to add.
            link: the link to make, replaced at once.

        Raises:
            NixError: a path is not valid, a file has another hash, or the store cannot be written.
        """
        wanted = [{"path": path} for path in sorted(paths)]
        wanted += [{"name": name, "sha256": sha256, "file": str(file)} for name, sha256, file in add]
        with temporary_directory() as directory:
            listed = directory / "leaves.json"
            listed.write_text(json.dumps(wanted), encoding="utf-8")
            arguments = ("--expr", LIST_OF_LEAVES, "--argstr", "listed", str(listed))
            text = self._run("nix-instantiate", "--eval", "--json", "--read-write-mode", *arguments)
        self.realise(json.loads(text), link)

    def write_texts(self, texts: Sequence[Text]) -> list[str]:
        """Write texts that keep store paths as long as they are kept themselves, and return their store paths.

        All of it is one evaluation; of each text, the same content and paths give the same store path.

        Args:
            texts: what to write; one may not name another.

        Raises:
            NixError: a path is not valid, or the store cannot be written.
        """
        if not texts:
            return []
        with temporary_directory() as directory:
            listed = directory / "texts.json"
            said = [{"name": one.name, "content": one.content, "paths": list(one.keeps)} for one in texts]
            listed.write_text(json.dumps(said), encoding="utf-8")
            arguments = ("--expr", TEXTS, "--argstr", "listed", str(listed))
            found: list[str] = json.loads(
                self._run("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", *arguments)
            )
        return found

    def take(self, paths: Iterable[str]) -> None:
        """Let Nix take some store paths from its caches, as far as these have them and it believes what they give."""
        for batch in batches(paths):
            with contextlib.suppress(NixError):  # of what none has
                self._run("nix-store", "--realise", "--keep-going", *batch)

    def fetch_git(self, url: str, commit: str) -> str:
        """Fetch the files of a Git commit, with those of its submodules; return their store path.

        Raises:
            NixError: the repository cannot be reached, or does not have the commit.
        """
        files = f"builtins.fetchGit {{ url = {nix_string(url)}; rev = {nix_string(commit)}; {_OF_GIT} }}"
        arguments = ("--eval", "--json", "--read-write-mode", "--expr", f"({files}).outPath")
        found: str = json.loads(self._run("nix-instantiate", *arguments))
        return found

    def sign(self, cache: Path, key: Path, paths: Sequence[str]) -> None:
        """Let Nix sign what a binary cache says of some store paths.

        Args:
            cache: the directory of its narinfos.
            key: the file of a secret key.
            paths: those that are signed.

        Raises:
            NixError: it cannot.
        """
        flags = ("--extra-experimental-features", "nix-command")
        for batch in batches(paths):
            words = ("--store", f"file://{cache}", "--key-file", str(key))
            self._run("nix", *flags, "store", "sign", *words, *batch)

    def copy(self, paths: Sequence[str], store: str, keys: Sequence[Path] = ()) -> None:
        """Copy store paths to another store, with all that they need.

        Args:
            paths: the store paths.
            store: as Nix names it, as ``ssh-ng://host``.
            keys: files of secret keys; what is copied is signed with them in this store first.

        Raises:
            NixError: one of them cannot be written or reached.
        """
        flags = ("--extra-experimental-features", "nix-command")
        for key in keys:
            self._run("nix", *flags, "store", "sign", "--recursive", "--key-file", str(key), *paths)
        self._run("nix", *flags, "copy", "--to", store, *paths)

    def collect(self) -> None:
        """Let Nix remove the store paths that nothing keeps.

        Raises:
            NixError: it cannot.
        """
        self._run("nix-store", "--gc")
