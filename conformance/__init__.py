"""Locks that other tools make of real requirement sets: nixgen takes from them what these tools would install."""
