"""The index on this machine."""
