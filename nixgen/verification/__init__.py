"""Whether the store still holds what a lock promises, and getting it back.

>>> from nixgen.environments.choice import Choice
>>> from nixgen.verification import repair, verify
>>> choice = Choice.of(Request(base=Path("project")))  # doctest: +SKIP
>>> report = verify(choice)  # doctest: +SKIP
>>> [str(finding) for finding in repair(choice, report).findings]  # doctest: +SKIP
[]
"""

from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.repair import repair
from nixgen.verification.verify import verify, verify_all

__all__ = ["Finding", "Kind", "Report", "repair", "verify", "verify_all"]
