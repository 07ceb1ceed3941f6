"""Sizes as a person writes them."""

from __future__ import annotations

import argparse
import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def bytes_of(text: str) -> int:
    """Return a size as a person writes it: ``50GB``, ``1.5T``, ``800000``; powers of ten, with ``i`` of two.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size, as 50GB is one")
    unit = _UNITS[match[2]] if not match[3] else 1024 ** list(_UNITS).index(match[2])
    return int(float(match[1]) * unit)
