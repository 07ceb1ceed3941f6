"""Packages that no index has a wheel of: their sources, fetched, and built to wheels by Nix."""
