"""What stands in the way of mounting, for who reads it."""


class Refusal(Exception):
    """What stands in the way: the exit code, what, where, and what to do about it."""
