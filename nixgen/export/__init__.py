"""An environment of a lock, in the formats that other tools read."""

from nixgen.export.components import components
from nixgen.export.cyclonedx import Part, cyclonedx
from nixgen.export.pylock import pylock
from nixgen.export.requirements import requirements

__all__ = ["Part", "components", "cyclonedx", "pylock", "requirements"]
