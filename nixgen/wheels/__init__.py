"""What is inside a wheel, read over HTTP ranges or from disk: wheels in, indexes out (``index.index_wheels``)."""
