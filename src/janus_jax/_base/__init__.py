"""The words every room shares: sites and reasons. Imports nothing of the house, and no JAX."""

from janus_jax._base.reasons import MEANINGS, Meaning, Reason, Unstageable
from janus_jax._base.sites import Site, site_of

__all__ = ["MEANINGS", "Meaning", "Reason", "Site", "Unstageable", "site_of"]
