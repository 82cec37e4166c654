from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_equal

from metaopt.report.data.load import RunData, load_run
from metaopt.report.data.thinning import STEPS, corners, evenly, marks_each, thinned, thinning_note
from metaopt.report.stats.curves import step_values


@pytest.fixture(scope="module")
def run(write_run: Callable[..., Path], answer: Callable[..., object]) -> RunData:
    """Sixty trials: each is worse than the one before but for every tenth."""
    return load_run(write_run([answer(n, 0.5 - n / 200 if n % 10 == 0 else 0.6 + n / 1000) for n in range(60)]))


def test_what_was_the_best_so_far_is_always_drawn(run: RunData) -> None:
    ids = [e.trial.id for e in thinned(run, run.told, 20)]
    assert len(ids) == 20
    assert ids == sorted(ids)
    assert {0, 10, 20, 30, 40, 50, 1, 59} <= set(ids)
    assert thinned(run, run.told, 60) == list(run.told)


def test_more_of_the_best_than_there_is_room_are_thinned_too(run: RunData) -> None:
    assert [e.trial.id for e in thinned(run, run.told, 3)] == [0, 20, 50]


def test_many_figures_share_what_a_page_holds() -> None:
    assert (marks_each(0), marks_each(12), marks_each(24), marks_each(1000)) == (500, 500, 250, 100)


def test_a_caption_says_what_is_drawn(run: RunData) -> None:
    assert thinning_note(60, 60) == ""
    assert thinning_note(500, 10_000).startswith(" Drawn are 500 of 10,000 trials: those that were the best so far")
    assert len(evenly(run.told, 7)) == 7


def test_a_step_function_keeps_its_corners() -> None:
    x, y = np.arange(12.0), np.array([np.nan, np.nan, 5, 5, 5, 3, 3, 3, 3, 1, 1, 1.0])
    short_x, short_y = corners(x, y)
    assert_equal(short_x, [0, 2, 5, 9, 11])
    assert_equal(step_values(short_x, short_y, x), y)
    both = np.stack([y, np.arange(12.0) // 6], axis=1)
    assert_equal(corners(x, both)[0], [0, 2, 5, 6, 9, 11])
    assert_equal(corners(x[:2], y[:2]), (x[:2], y[:2]))


def test_a_step_function_of_very_many_corners_has_no_more_than_can_be_seen() -> None:
    x = np.arange(10_000.0)
    short_x, short_y = corners(x, -x)
    assert len(short_x) == len(short_y) == STEPS
    assert (short_x[0], short_x[-1]) == (0, 9999)
