"""How many cores a build may use."""

import os


def cores():
    """Return the number of cores that Nix grants this build (``NIX_BUILD_CORES``; 0 there means all), 1 at least."""
    granted = int(os.environ.get("NIX_BUILD_CORES") or 0)
    return max(1, granted or os.cpu_count() or 1)
