"""Ranking studies that are small enough for a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from metaopt.ranking.study import RankingStudy

MakeStudy = Callable[..., RankingStudy]


@pytest.fixture
def make_study() -> MakeStudy:
    """Makes a ranking study from what differs from a tiny one."""

    def make(**changes: Any) -> RankingStudy:
        tiny = {
            "optimizer": "darts", "config": {}, "benchmark": "digits", "cell_space": 1, "epochs": 1, "at": (1,),
            "seeds": 1, "sample": 12, "device": "cpu",
        }  # fmt: skip
        return RankingStudy(**{**tiny, **changes})

    return make
