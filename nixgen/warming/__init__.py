"""A store that has popular packages before anyone asks: lists read, resolved, put there, and kept by one root."""
