"""Hostile wheels, made by the thousand, through nixgen and beside pip and uv (``python -m campaign --help``)."""
