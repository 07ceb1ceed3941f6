"""Nix's database of a store that is not this machine's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

from nixgen.store import Registration, programs
from nixgen.temporary import temporary_directory

#: When Nix came to know of a path, in seconds of the epoch; nothing is decided by it.
_TIME = 1

#: A table that Nix makes from 2.20 on where it opens a database of before, which a read-only one cannot get then
#: (``upgradeDBSchema`` in src/libstore/local-store.cc).
_MIGRATIONS = "CREATE TABLE IF NOT EXISTS SchemaMigrations (migration text primary key not null)"


def write_database(registrations: Iterable[Registration], contents: Mapping[str, str], directory: Path) -> None:
    """Let Nix make a database of store paths, without looking for them: the same bytes for the same paths.

    Nix notes when it came to know of a path, writes through a log, and leaves what it has changed in the file: the time
    is made the same for all, and the database copied by SQLite into a new file that needs no log, for what lies on a
    read-only file system has none. The bytes are those of one version of SQLite, and of one form of the database.

    Args:
        registrations: what it is to say; whatever one needs is among them.
        contents: of paths that follow from their content how Nix writes that.
        directory: gets ``db.sqlite`` and ``schema``; the ``db`` of a store's state.

    Raises:
        NixError: with what Nix said.
    """
    lines = [line for one in sorted(registrations, key=lambda one: one.path) for line in one.lines()]
    with temporary_directory() as scratch:
        places = {"real": scratch / "store", "state": scratch / "state", "log": scratch / "log"}
        store = "local?" + urlencode({name: str(place) for name, place in places.items()}, quote_via=quote)
        options = {"store": store, "build-users-group": ""}
        programs.run("nix-store", ("--load-db",), options, given="".join(f"{line}\n" for line in lines))
        made = places["state"] / "db"
        # Not in the form of transactions that close by themselves: VACUUM is outside of any.
        with closing(sqlite3.connect(made / "db.sqlite", isolation_level=None)) as database:
            database.execute("BEGIN")
            database.execute(_MIGRATIONS)
            database.execute("UPDATE ValidPaths SET registrationTime = ?", (_TIME,))
            database.executemany(
                "UPDATE ValidPaths SET ca = ? WHERE path = ?", ((ca, path) for path, ca in contents.items())
            )
            database.execute("COMMIT")
            database.execute("VACUUM INTO ?", (str(directory / "db.sqlite"),))
        shutil.copyfile(made / "schema", directory / "schema")
    for file in ("db.sqlite", "schema"):
        (directory / file).chmod(0o444)
