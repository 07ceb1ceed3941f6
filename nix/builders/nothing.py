"""A build that only needs its inputs: it makes an empty file."""


def build(_attributes, out):
    """Make the empty file ``out``."""
    with open(out, "w", encoding="utf-8"):
        pass
