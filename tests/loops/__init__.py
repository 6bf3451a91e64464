"""Loops of ours against Python's, unrolled and eager."""
