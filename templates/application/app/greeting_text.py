"""A module of the application's own: it lies beside the entry point."""


def greeting(name: str = "you") -> str:
    """Return what to say to somebody."""
    return f"hello, {name}"
