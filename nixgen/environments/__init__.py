"""From a lock to an environment: which one is meant, its leaves, its build, and what was built before.

>>> from pathlib import Path
>>> from nixgen.environments import Request, build  # doctest: +SKIP
>>> build(Request(base=Path("project"), extras=("tables",)), out_link=Path("result"))  # doctest: +SKIP
'/nix/store/…-python3.11-env'
"""
