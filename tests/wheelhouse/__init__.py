"""Whole wheels out of the store."""
