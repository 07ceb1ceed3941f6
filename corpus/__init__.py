"""Compare nixgen with pip on popular packages: the same wheels, the same probes, in both environments."""
