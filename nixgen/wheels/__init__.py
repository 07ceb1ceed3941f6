"""What is inside a wheel, read over HTTP ranges or from disk: wheels in, indexes out."""

from nixgen.wheels.index import Progress, index_all, index_wheels

__all__ = ["Progress", "index_all", "index_wheels"]
