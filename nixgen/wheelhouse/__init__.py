"""Whole wheels again: put together of what the store has, and fetched where it lacks something."""
