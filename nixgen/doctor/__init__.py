"""Whether this machine and project have what nixgen needs, each with the way out."""

from nixgen.doctor.checks import Check, State, examine

__all__ = ["Check", "State", "examine"]
