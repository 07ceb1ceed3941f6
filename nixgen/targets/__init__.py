"""A Python and a system, as what is locked for: named, described by tags and markers, found on a machine."""

from nixgen.targets.machine import ask_interpreter, default_python, default_system, default_version
from nixgen.targets.systems import SYSTEMS
from nixgen.targets.target import Target

__all__ = ["SYSTEMS", "Target", "ask_interpreter", "default_python", "default_system", "default_version"]
