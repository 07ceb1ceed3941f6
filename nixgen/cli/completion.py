"""Print the script with which a shell completes verbs and options of nixgen.

Load it in each shell, or write it to where the shell looks for such scripts.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen completion bash", 'in ~/.bashrc: eval "$(nixgen completion bash)"'),
    ("nixgen completion zsh", 'in ~/.zshrc, after compinit: eval "$(nixgen completion zsh)"'),
    ("nixgen completion fish", "once, into ~/.config/fish/completions/nixgen.fish"),
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
