"""Each kind of tape in turn, whatever the cap."""

from __future__ import annotations

import pytest

from janus_jax._loops import derivatives

ENDLESS = 10**9
TAPES = {
    "saving": {"SAVING_CAP": ENDLESS, "SAVING_BYTES": ENDLESS},
    "recomputing": {"SAVING_CAP": 0, "NESTING_CAP": ENDLESS},
    "nested": {"SAVING_CAP": 0, "NESTING_CAP": 2, "TAPE_BYTES": 0},
}


@pytest.fixture(params=list(TAPES))
def tape(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave every loop differentiated with this kind of tape."""
    for name, value in TAPES[request.param].items():
        monkeypatch.setattr(derivatives, name, value, raising=False)
    return request.param
