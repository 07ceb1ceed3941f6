"""What the machine refuses to Nix, as an error that a user can do something about."""

from __future__ import annotations

import re

from nixgen.errors import NixError

_RIGHTS = (
    "the store is another user's, and no daemon works for you: start Nix's (`systemctl start nix-daemon`) and set "
    "NIX_REMOTE=daemon, or run this as the user that it belongs to"
)
_ROOM = "make room there: `nix-collect-garbage` removes what nothing keeps"
_READ_ONLY = "make it writable, or name another store (NIX_STORE_DIR, NIX_STATE_DIR)"
_FILES = "end other programs of this user, or raise the limit (`ulimit -n`)"
_MEMORY = (
    "end other programs, raise the limit (`ulimit -v`), or build less at once: --option max-jobs 1 --option cores 1"
)
_DAEMON = "start Nix's daemon (`systemctl start nix-daemon`), or unset NIX_REMOTE where there is none"

#: What is said, by Nix or by a builder; what is wrong; what to do.
_REFUSALS = (
    (
        "Permission denied|Operation not permitted|attempt to write a readonly database",
        "has no right to write",
        _RIGHTS,
    ),
    ("unable to open database file", "cannot open its database", _RIGHTS),
    # Nix as root first tries to make it writable: what it says where that is no mount of NixOS's kind.
    (r"Read-only file system|remounting .* writable: ", "cannot write a read-only file system", _READ_ONLY),
    ("No space left on device|Disk quota exceeded|database or disk is full|File too large", "has no room left", _ROOM),
    ("Too many open files", "has too many files open", _FILES),
    (
        r"Cannot allocate memory|out of memory|std::bad_alloc|MemoryError|failed due to signal 9 ",
        "had too little memory",
        _MEMORY,
    ),
    ("Connection refused|cannot (?:open connection|connect) to", "does not reach its daemon", _DAEMON),
)

#: A line of Nix's own, and what a builder's Python ends with; lines of a log begin with ">" or "  ".
_LINE = re.compile(
    r"^\s*(?:error|what\(\):|warning: unable)|\[Errno (?:12|24|27|28|30|122)\]|^\s*(?:> *)?MemoryError\b"
)
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_PATH = re.compile(r"""['"](/[^'"]+)['"]|\bremounting (/.+) writable:""")


def refusal(said: str) -> NixError | None:
    """Return what to tell a user of a command of Nix that the machine refused something; None where it did not.

    Args:
        said: what the command said.
    """
    for line in _COLOUR.sub("", said).splitlines():
        if _LINE.search(line) is None:
            continue
        for pattern, what, todo in _REFUSALS:
            if re.search(pattern, line):
                path = _PATH.search(line)
                where = path[1] or path[2] if path else "the machine's Nix"
                told = re.sub(r"^(?:\s|>|what\(\):|error:)+", "", line)
                return NixError(f"Nix {what}: {told}", where=where, todo=todo)
    return None
