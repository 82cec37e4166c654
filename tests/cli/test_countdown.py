from __future__ import annotations

import math

import pytest

from metaopt.cli import countdown
from metaopt.cli.countdown import Countdown


def test_the_first_and_the_last_piece_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Countdown("parts")
    shown(0, 3, math.nan)
    shown(1, 3, 120.0)
    shown(3, 3, 0.0)
    assert capsys.readouterr().err == "0 of 3 parts\n3 of 3 parts, about 0 s left\n"


def test_after_a_pause_every_piece_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(countdown, "_PAUSE_S", 0.0)
    shown = Countdown("chunks")
    shown(0, 3, math.nan)
    shown(1, 3, 130.0)
    assert capsys.readouterr().err == "0 of 3 chunks\n1 of 3 chunks, about 2 min 10 s left\n"
