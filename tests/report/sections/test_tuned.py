from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaopt.report.data.groups import Group
from metaopt.report.data.load import load_run
from metaopt.report.sections.tuned import Searches, Tuned, mean_sd, tuned, tuned_notes, tuned_table

OBJECTIVE = {"optimum_valid_error": 0.0, "optimum_test_error": 0.1}
BEST = {"x": 1}


@pytest.fixture
def group(write_run: Callable[..., Path], answer: Callable[..., Any]) -> Callable[..., Group]:
    """Makes a group: each run is given as test errors of the confirming searches of default and tuned, None: failed."""

    def make(*runs: tuple[list[float | None], list[float | None]]) -> Group:
        folders = []
        for default, best in runs:
            trials = [answer(0, 0.5, 0.6), answer(1, 0.2, 0.25, config=BEST), answer(2, None, reason="on purpose")]
            errors = [(0, e) for e in default] + [(1, e) for e in best]
            confirmed = [answer(n, e, e, key=key, reason="" if e else "x") for n, (key, e) in enumerate(errors)]
            folders.append(write_run(trials, confirmed=confirmed, objective=OBJECTIVE, default={}))
        return Group("darts", tuple(map(load_run, folders)))

    return make


def test_regrets_are_means_over_runs_of_means_over_searches(group: Callable[..., Group]) -> None:
    found = tuned(group(([0.4, 0.6], [0.2, 0.2]), ([0.3, 0.5, None], [0.15, 0.25])))
    assert found.default == pytest.approx((0.4, 0.3))
    assert found.tuned == pytest.approx((0.1, 0.1))
    assert found.selected == pytest.approx((0.15, 0.15))
    assert found.ratio.value == pytest.approx(3.5)
    assert found.ratio.low is not None
    assert (found.epochs, found.wall_s) == ((27,), 1.5)
    assert (found.default_searches, found.tuned_searches) == (Searches(4, 5), Searches(4, 4))
    assert (found.failed, found.answered, found.runs) == (3, 15, 2)
    (row,) = tuned_table([found]).cells
    assert row[:5] == ("darts", "0.3500 ± 0.0707", "0.1000 ± 0.0000", "0.1500 ± 0.0000", "3.50×")
    assert row[6:] == ("4 of 5", "4 of 4", "1.5", "2", "3 of 15")
    (record,) = tuned_table([found]).records
    assert record["default_regret_mean"] == pytest.approx(0.35)
    assert record["default_regret_sd"] == pytest.approx(math.sqrt(0.005))
    assert "with fresh seeds (27 epochs each)" in tuned_notes([found])[0]


def test_ratios_above_the_floor_stand_beside_the_raw_ones(
    group: Callable[..., Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OBJECTIVE, "selected_test_error", 0.15)
    found = tuned(group(([0.4, 0.6], [0.2, 0.2]), ([0.3, 0.5], [0.2, 0.2])))
    assert found.floor == pytest.approx(0.05)
    assert found.ratio.value == pytest.approx(3.5)
    assert found.above_floor is not None
    assert found.above_floor.value == pytest.approx(6.0)
    table = tuned_table([found])
    assert table.cells[0][table.head.index("ratio above the floor")] == "6.00×"
    (record,) = tuned_table([found]).records
    assert record["floor_test_regret"] == pytest.approx(0.05)
    assert record["ratio_above_floor"] == pytest.approx(6.0)
    assert "has a test regret of 0.0500" in " ".join(tuned_notes([found]))


def test_a_side_that_diverged_is_said(group: Callable[..., Group]) -> None:
    found = tuned(group(([0.4, 0.6], [None, None]), ([0.3, 0.5], [0.2, None])))
    assert found.tuned == pytest.approx((0.1,))
    assert (found.default_searches, found.tuned_searches) == (Searches(4, 4), Searches(1, 4))
    (row,) = tuned_table([found]).cells
    assert row[6:8] == ("4 of 4", "1 of 4")
    assert row[9] == "1 of 2"
    (record,) = tuned_table([found]).records
    counts = {name: value for name, value in record.items() if name.endswith(("asked", "finished"))}
    assert counts == {
        "default_searches_finished": 4, "default_searches_asked": 4,
        "tuned_searches_finished": 1, "tuned_searches_asked": 4,
    }  # fmt: skip
    note = tuned_notes([found])[1]
    assert "a side without them may look better than it is: darts tuned 1 of 4." in note
    whole = tuned(group(([0.4], [0.2])))
    assert tuned_notes([whole])[1].endswith("None is missing.")


def test_cpu_seconds_where_all_have_them(write_run: Callable[..., Path], answer: Callable[..., Any]) -> None:
    def of(*cpu_s: float | None) -> Tuned:
        trials = [answer(0, 0.1, 0.3), answer(1, 0.2, 0.25, config=BEST)]
        confirmed = [answer(n, 0.2, 0.4, key=0, cpu_s=seconds) for n, seconds in enumerate(cpu_s)]
        folder = write_run(trials, confirmed=confirmed, objective=OBJECTIVE, default={})
        return tuned(Group("darts", (load_run(folder),)))

    new, old, without = of(1.0, 3.0, 2.0), of(1.0, None), of()
    assert (new.cpu_s, new.wall_s, old.wall_s) == (2.0, 1.5, 1.5)
    assert math.isnan(old.cpu_s)
    assert tuned_table([new, without]).head[8] == "CPU s per search"
    assert [row[8] for row in tuned_table([new, without]).cells] == ["2.0", "–"]
    assert tuned_notes([new, without])[-1].startswith("Seconds: median CPU time")
    assert tuned_table([new, old]).head[8] == "wall s per search"
    assert [row[8] for row in tuned_table([new, old]).cells] == ["1.5", "1.5"]
    assert tuned_notes([new, old])[-1].startswith("Seconds: median wall time")
    assert [record["search_cpu_s"] for record in tuned_table([new]).records] == [2.0]


def test_where_no_optimum_is_known_nothing_is_called_a_regret(group: Callable[..., Group]) -> None:
    rows = [replace(tuned(group(([0.4], [0.2]))), optimum_test_error=None)]
    notes = " ".join(tuned_notes(rows))
    assert "minus" not in notes
    assert "regret" not in notes.replace("and with it the regret", "")
    assert "default_error_mean" in tuned_table(rows).records[0]
    assert "default_regret_mean" not in tuned_table(rows).records[0]


def test_a_default_that_stayed_the_best_has_a_ratio_of_one(
    write_run: Callable[..., Path], answer: Callable[..., Any]
) -> None:
    trials = [answer(0, 0.1, 0.3), answer(1, 0.2, 0.25, config=BEST)]
    folder = write_run(trials, confirmed=[answer(0, 0.2, 0.4, key=0)], objective=OBJECTIVE, default={})
    found = tuned(Group("darts", (load_run(folder),)))
    assert found.default == found.tuned == pytest.approx((0.3,))
    assert found.selected == pytest.approx((0.2,))
    assert found.ratio.value == 1.0


def test_a_run_without_a_confirmation_has_no_ratio(group: Callable[..., Group]) -> None:
    found = tuned(group(([], [])))
    assert (found.default, found.tuned, found.ratio.value) == ((), (), None)
    (row,) = tuned_table([found]).cells
    assert row[1:6] == ("–", "–", "0.1500", "–", "no interval: a side has no finished repeat")
    assert row[6:10] == ("–", "–", "–", "0 of 1")


def test_one_value_has_no_deviation() -> None:
    assert (mean_sd([]), mean_sd([0.25]), mean_sd([0.1, 0.3])) == ("–", "0.2500", "0.2000 ± 0.1414")
