"""Measure nixgen against what people use today, in one run, on the same wheels from the same loopback server."""
