"""Imperative Python, compiled by speculation."""
