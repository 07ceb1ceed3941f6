"""Environments made by other tools: their files become links to leaves, and real files again."""
