"""Packages that are built from their sources."""
