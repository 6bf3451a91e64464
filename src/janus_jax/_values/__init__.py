"""One class for each kind of staged value, and the one mechanism by which values leave a region: templates.

In: what the user's code computes. Out: templates and leaves, joined and built again.
Promise: a Python number stays exact, and a result keeps its identity.
"""
