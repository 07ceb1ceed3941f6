"""Where nixgen keeps what may be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the user's directory for nixgen's own files (XDG Base Directory Specification); it may not be there.

    Of a user without a home it is one that cannot be made.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "nixgen")
    except RuntimeError:
        return Path(os.devnull, "nixgen")
