"""What differs between locks, and what environments have in common."""
