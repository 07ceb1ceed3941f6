"""Say whether this machine and project have what nixgen needs, each with the way out.

Looked at are Nix, its store, sandbox and room, uv, the package index, the Python of the lock, the
lock, what git knows of a flake, and what the kernel can mount. Nothing is changed. Ends with code 7
where something fails; warnings are about what not everybody needs.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen doctor", "look at everything"),
    ("nixgen doctor --json", "for a program to read"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    parser.add_argument(
        "--option", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a setting for Nix"
    )


def run(options: argparse.Namespace) -> int:
    """Print what is found; return the exit code."""
    import json
    from dataclasses import asdict
    from pathlib import Path

    from nixgen.cli.console import without_secrets
    from nixgen.doctor import examine
    from nixgen.errors import MachineError

    found = []
    for check in examine(Path(options.directory), dict(options.option)):
        found.append(check)
        if not options.json and not (options.quiet and check.state == "ok"):
            said = without_secrets(check.said).replace("\n", "\n" + " " * 14)
            print(f"{check.state:4}  {check.name:7} {said}", flush=True)
            if check.todo:
                print(f"{'':14}what to do: {check.todo}", flush=True)
    if options.json:
        print(json.dumps({"checks": [asdict(check) for check in found]}, indent=1))
    return MachineError.exit_code if any(check.state == "fail" for check in found) else 0
