"""What is logged, on standard error: as much as the user wants, and without the secrets of URLs."""

from __future__ import annotations

import logging
import sys

from nixgen.cli.console import without_secrets


def show_log(*, debug: bool, quiet: bool) -> None:
    """Write what is logged to standard error from now on; a second call changes nothing.

    Args:
        debug: everything.
        quiet: errors only; otherwise warnings too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutSecrets("%(name)s: %(message)s"))
    level = logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("httpcore").setLevel(logging.WARNING)


class _WithoutSecrets(logging.Formatter):
    """Writes what is logged, tracebacks and other packages' messages too, without the secrets of URLs."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
