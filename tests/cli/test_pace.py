from __future__ import annotations

import pytest

from metaopt.cli import pace
from metaopt.cli.pace import Pace


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock will say, call by call."""
    readings: list[float] = []
    monkeypatch.setattr(pace.time, "monotonic", lambda: readings.pop(0))
    return readings


def test_between_the_first_and_the_last_piece_there_are_pauses(
    seconds: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Pace("parts")
    seconds += [10.0, 11.0, 13.0, 13.5]
    for done in (0, 1, 2, 3):
        shown(done, 3)
    assert capsys.readouterr().err == "0 of 3 parts\n2 of 3 parts, about 2 s left\n3 of 3 parts, about 0 s left\n"


def test_what_was_done_before_has_no_part_in_the_pace(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    shown = Pace("chunks")
    seconds += [0.0, 130.0]
    shown(90, 100)
    shown(95, 100)
    assert capsys.readouterr().err == "90 of 100 chunks\n95 of 100 chunks, about 2 min 10 s left\n"
