"""The driver's cost of an evaluation does not grow with the number of workers; the whole picture is in scale.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scale import measure

EVALUATIONS = 4000


@pytest.mark.perf
@pytest.mark.parametrize("tuner", ["random", "re", "hyperband"])
def test_ten_thousand_workers_cost_the_driver_what_ten_do(tuner: str, capsys: pytest.CaptureFixture[str]) -> None:
    measure(tuner, 1, 10)  # loads the libraries and the table
    few, many = measure(tuner, 10, EVALUATIONS), measure(tuner, 10_000, EVALUATIONS)
    with capsys.disabled():
        print(f"\n{tuner:10} {few.driver_ms:.2f} ms of CPU an evaluation with 10 workers,", end=" ")
        print(f"{many.driver_ms:.2f} with 10,000: ratio {many.driver_ms / few.driver_ms:.2f}", end="")
    assert few.utilisation > 0.95
    assert many.driver_ms < 2 * few.driver_ms
