"""What nixgen's own files in a project are called.

Every build asks: nothing is imported here.
"""

from __future__ import annotations

#: The lock.
LOCK_NAME = "nixgen.lock"

#: The directory of the Nix files, and of the library in it.
NIX_DIRECTORY = "nix"
LIBRARY_DIRECTORY = "nixgen"
