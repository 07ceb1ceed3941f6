"""The project's own environment: a virtual environment on top of one of the store."""
