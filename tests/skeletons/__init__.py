"""Skeletons of wheels."""
