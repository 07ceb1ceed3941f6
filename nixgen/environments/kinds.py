"""Which kinds of environments a project's lock has: of Python, of npm's packages, or both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Kinds(NamedTuple):
    """What a lock has."""

    python: bool
    npm: bool

    @classmethod
    def of(cls, base: Path) -> Kinds:
        """Look into the lock of a project; where it cannot be read it has Python's, and who builds that says why."""
        from nixgen.names import LOCK_NAME

        try:
            content = (base / LOCK_NAME).read_bytes()
            # Reading the JSON of a large lock takes a tenth of a second.
            said = json.loads(content) if b'"npm"' in content else {}
            npm = "npm" in said
            return cls(python=not npm or bool(said["targets"]), npm=npm)
        except (OSError, ValueError, TypeError, KeyError):
            return cls(python=True, npm=False)
