"""Print the script with which a shell completes verbs and options of nixgen.

Load it in each shell, or write it to where the shell looks for such scripts.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ('eval "$(nixgen completion bash)"', "in ~/.bashrc"),
    ('eval "$(nixgen completion zsh)"', "in ~/.zshrc, after compinit"),
    ("nixgen completion fish > ~/.config/fish/completions/nixgen.fish", "once"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="for which shell")


def run(options: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    import sys

    from nixgen.cli import verbs
    from nixgen.completion import SHELLS, verbs_of

    sys.stdout.write(SHELLS[options.shell](verbs_of(*verbs()), "nixgen"))
    return 0
