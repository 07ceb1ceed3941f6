"""Turn a locked Python requirement set into Nix expressions and environments."""

__version__ = "0.1.0"
