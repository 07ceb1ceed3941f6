"""Make a program out of a leaf, which has no x bit."""

import copying


def build(attributes, out):
    """Copy the leaf ``attributes["leaf"]`` to ``out`` and make it executable."""
    copying.copy(attributes["leaf"], out, 0o555)
