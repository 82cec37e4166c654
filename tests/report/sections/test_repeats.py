from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metaopt.core.trial import Result, Trial
from metaopt.report.data.groups import Repeats
from metaopt.report.data.load import Evaluation
from metaopt.report.sections.repeats import (
    curves_data,
    eigenvalue_notes,
    repeats_finals,
    repeats_notes,
    repeats_table,
)


def repeats(group: str, label: str, errors: list[float], **trajectory: list[Any]) -> Repeats:
    info = {"one_shot_error": 0.5, "trajectory": trajectory}
    evaluations = tuple(
        Evaluation(Trial(i, 0, {}, 25, i), 0.0, Result(i, "ok", error, error, info=info))
        for i, error in enumerate(errors)
    )
    return Repeats(group, label, evaluations, 1, 0.1)


FIRST, SECOND = [0.5, 0.5, 0.6, 0.6], [0.3, 0.3, 0.4, 0.4]


def test_configurations_are_compared_with_the_first_of_their_group() -> None:
    rows = repeats_finals(
        [repeats(group, f"cutout {on}", e) for group in ("a", "b") for on, e in enumerate((FIRST, SECOND))]
    )
    assert [row.against for row in rows] == ["", "cutout 0", "", "cutout 0"]
    assert rows[0].ratio is None
    ratio = rows[1].ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(0.45 / 0.25)
    assert ratio.p_value == pytest.approx(2 / 70)
    text = repeats_table(rows).cells[1]
    assert text[:6] == ("a, cutout 1", "0.2500 ± 0.0577", "0.5000 ± 0.0000", "4", "1", "cutout 0")
    assert text[6] == "1.80×"
    assert text[8] == "0.029"
    record = repeats_table(rows).records[1]
    assert record["test_regret_mean"] == pytest.approx(0.25)
    assert record["p_value"] == pytest.approx(2 / 70)
    assert "Searches of 25 epochs" in repeats_notes([row.repeats for row in rows])[0]


def test_groups_of_one_configuration_each_are_compared_with_the_first_group() -> None:
    rows = repeats_finals([repeats("darts", "", FIRST), repeats("gdas", "", SECOND)])
    assert [row.against for row in rows] == ["", "darts"]


def test_groups_on_different_problems_are_not_compared() -> None:
    names = [f"{config} {space}" for space in (1, 2) for config in ("default", "tuned")]
    rows = repeats_finals([replace(repeats(name, "", FIRST), problem=f"digits space {name[-1]}") for name in names])
    assert [row.against for row in rows] == ["", "default 1", "", "default 2"]


def test_a_configuration_without_a_finished_search() -> None:
    rows = repeats_finals([repeats("darts", "", FIRST), repeats("gdas", "", [])])
    assert repeats_table(rows).cells[1][:4] == ("gdas", "–", "–", "0")
    assert repeats_table(rows).records[1]["test_regret_mean"] is None


def test_where_no_optimum_is_known_nothing_is_called_a_regret() -> None:
    some = [replace(repeats("a", "", FIRST, test_error=[0.3]), optimum_test_error=None)]
    rows = repeats_finals(some)
    assert repeats_table(rows).head[1] == "test error"
    assert repeats_table(rows).records[0]["test_error_mean"] == pytest.approx(0.55)
    assert curves_data(some).records[0]["quantity"] == "test_error"
    notes = " ".join(repeats_notes(some))
    assert "Test error: of the cell found; the lowest of any cell is unknown" in notes
    assert "Ratio: mean test error" in notes
    assert "minus" not in notes
    assert "minus the lowest test error" in repeats_notes([repeats("a", "", FIRST)])[0]


def test_every_epoch_that_was_measured_has_a_record() -> None:
    (one, two, three) = curves_data([repeats("a", "", [0.2], test_error=[0.3, 0.2], eigenvalue=[None, 1.0])]).records
    assert (one["quantity"], one["epoch"], one["mean"]) == ("test_regret", 1, pytest.approx(0.2))
    assert one["standard_error"] is None
    assert two["epoch"] == 2
    assert (three["quantity"], three["epoch"], three["searches"], three["mean"]) == ("eigenvalue", 2, 1, 1.0)


def test_rank_correlation_of_eigenvalue_and_regret() -> None:
    along = [0.1, 0.2, 0.3, 0.4]
    some = repeats("a", "", [0.4, 0.4], test_error=along, eigenvalue=[1.0, None, 2.0, 3.0])
    (note,) = eigenvalue_notes([some, repeats("b", "", [0.4], test_error=along)])
    assert note.startswith("a: Spearman's rho")
    assert "over the epochs of a search +1.00 (mean of 2)" in note
    assert note.endswith("between the ends of all searches (n = 2) unknown.")
    notes = eigenvalue_notes([some, repeats("b", "", [0.4] * 2, test_error=[0.3, 0.2], eigenvalue=[0.5, 0.1])])
    assert [note.split(":")[0] for note in notes] == ["a", "b", "all together"]
    assert "between the ends of all searches (n = 4) +1.00" in notes[-1]


def test_a_search_without_eigenvalues_may_be_longer_than_those_with() -> None:
    some = repeats("a", "", [0.4], test_error=[0.1, 0.2, 0.3], eigenvalue=[1.0, 2.0, 3.0])
    long = repeats("a", "", [0.4], test_error=[0.4] * 9)
    (note,) = eigenvalue_notes([replace(some, evaluations=some.evaluations + long.evaluations)])
    assert "over the epochs of a search +1.00 (mean of 1); between the ends of all searches (n = 1)" in note
