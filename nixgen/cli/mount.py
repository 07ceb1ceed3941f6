"""Mount again what `nixgen venv --mounted` has mounted, as after a restart of the machine.

Where all is well, nothing is done. As root; what it mounts stands in root's own records, and not in
the directories, which may belong to others. `nixgen mount --systemd` prints a unit that does this for
one directory: nixgen mount --systemd >/etc/systemd/system/nixgen-venv@.service, and then
systemctl enable --now "$(systemd-escape --path --template nixgen-venv@.service DIR)".
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_UNIT = """\
[Unit]
Description=Virtual environment %f
RequiresMountsFor=%f

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={program} mount %f
ExecStop={program} umount --lazy %f

[Install]
WantedBy=multi-user.target
"""


EXAMPLES = (
    ("nixgen mount", "all that this machine knows"),
    ("nixgen mount .venv", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("dirs", nargs="*", metavar="DIR", help="virtual environments (default: with --all, every one)")
    parser.add_argument("--all", action="store_true", help="all that were mounted, and not taken away since")
    parser.add_argument("--systemd", action="store_true", help="print a systemd unit, nixgen-venv@.service")


def run(options: argparse.Namespace) -> int:
    """Mount what is asked for; return the exit code.

    Raises:
        UsageError: nothing is asked for.
    """
    from nixgen.errors import UsageError
    from nixgen.venv.program import environment_below, mounting
    from nixgen.venv.program import run as run_program

    if options.systemd:
        print(_UNIT.format(program=_program()), end="")
        return 0
    if not options.dirs and not options.all:
        raise UsageError("there is nothing to mount", todo="name directories, or all: nixgen mount --all")
    quiet = ["--quiet"] if options.quiet else []
    code = mounting("heal-all", *quiet).returncode if options.all else 0
    for name in options.dirs:
        directory = Path(options.here, name)
        code = run_program(directory, ["--known", "--heal", *quiet], environment=environment_below(directory)) or code
    return code


def _program() -> str:
    """Return how this nixgen is called, as systemd takes it."""
    called = Path(sys.argv[0]).absolute()
    return str(called) if called.name == "nixgen" else f"{sys.executable} -m nixgen"
