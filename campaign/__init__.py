"""Hostile wheels by the thousand, servers, kills, disks, crowds and users, seeded (``python -m campaign --help``)."""
