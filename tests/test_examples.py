"""The examples run, and keep what they promise, with tiny sizes."""

from __future__ import annotations

import pytest

from examples import digits


@pytest.mark.slow
def test_the_digits_demo_learns_speculates_trips_and_recovers(capsys: pytest.CaptureFixture[str]) -> None:
    last = digits.ARRIVALS[-1]

    assert digits.main(["--epochs", str(last + 2), "--batches", "4"]) == 0

    shown = capsys.readouterr().out
    for run in (digits.PLAIN, digits.SPECULATED, digits.BY_HAND):
        assert run in shown
    assert f"epoch {digits.ARRIVALS[0]}: a guard tripped" in shown
    assert f"epoch {last}: a guard tripped" not in shown
    assert "if not known[answers].all()" in shown
