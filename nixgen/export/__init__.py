"""An environment of a lock, in the formats that other tools read."""

from nixgen.export.cyclonedx import cyclonedx
from nixgen.export.pylock import pylock
from nixgen.export.requirements import requirements

__all__ = ["cyclonedx", "pylock", "requirements"]
