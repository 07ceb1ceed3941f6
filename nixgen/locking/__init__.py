"""From inputs to a lock: for which targets, read, indexed, planned, and held against what is there."""
