"""The profiler observes: a function runs as plain Python, and how often each branch and loop ran goes out."""

from janus_jax._profiler.observer import Observation, Observer
from janus_jax._profiler.profile import CONTEXT_DEPTH, BranchCounts, Context, Profile, TripCounts, extended

__all__ = [
    "CONTEXT_DEPTH",
    "BranchCounts",
    "Context",
    "Observation",
    "Observer",
    "Profile",
    "TripCounts",
    "extended",
]
