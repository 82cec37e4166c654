from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from metaopt.core.trial import Result, Trial
from metaopt.report.data.inputs import run_importance
from metaopt.report.data.load import RunData, load_run
from metaopt.report.document.section import Section
from metaopt.report.sections.headline import headline
from metaopt.report.sections.run import FIRST_CELL_NOTE, facts, run_sections, searches_with_trajectory, state


def sections_of(run: RunData) -> list[Section]:
    return list(run_sections(run, run_importance(run)))


NAMES = ["tuned", "progress", "hyperparameters", "searches", "cells", "trials", "provenance"]


def test_a_whole_run_fills_every_section(make_run: Callable[..., Path]) -> None:
    run = load_run(make_run())
    found = {section.name: section for section in sections_of(run)}
    assert list(found) == NAMES
    plots = {name: [plot.name for plot in section.plots] for name, section in found.items()}
    assert plots["tuned"] == ["confirmation"]
    assert plots["progress"] == ["anytime-evaluations", "anytime-seconds"]
    assert plots["hyperparameters"][:2] == ["importance", "hyperparameter-batch_size"]
    assert len(plots["hyperparameters"]) == 2 + 6
    assert plots["hyperparameters"][-1] == "parallel"
    assert plots["searches"] == ["one-shot-against-table", "trajectory-one-shot", "trajectory-table"]
    assert plots["cells"] == ["best-cell", "default-cell"]
    failures, trials = found["trials"].tables
    assert failures.cells == (("crashed", "killed by signal 11 (SIGSEGV)", "3"),)
    assert len(trials.cells) == 40
    assert trials.folded
    assert [row[0] for row in found["searches"].tables[0].cells] == ["all", "3", "9", "27"]
    settings = next(t for t in found["provenance"].tables if t.title == "Settings")
    assert ("tuner_options.eta", "3.0") in settings.cells
    assert ("command", "metaopt tune --optimizer darts") in found["provenance"].tables[0].cells


def test_every_row_is_as_wide_as_its_head(make_run: Callable[..., Path]) -> None:
    for section in sections_of(load_run(make_run(n=12))):
        for table in section.tables:
            assert {len(row) for row in table.cells} <= {len(table.head)}, table.title


def test_the_facts_count_what_is_in_the_journal(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    answers = [
        answer(0, 0.3, 0.1, epochs=3, info={"predicted": True}),
        answer(1, 0.2, 0.4, epochs=9, trained=7),
        answer(2, None, reason="x", epochs=3),
        answer(3, None),
    ]
    run = load_run(write_run(answers, run={"budget": 5}))
    assert dict(facts(run)) == {
        "evaluations answered": "3 of 5",
        "failed": "1",
        "unanswered": "1",
        "search epochs": "13",
        "seconds": "5",
        "lowest validation error": "0.2000",
        "its test error": "0.4000",
        "predicted, not measured": "1 of 2",
    }
    assert "Answered are 3 of a budget of 5 evaluations" in state(run)[0]


def test_restarts_are_counted_apart_from_failures(
    write_run: Callable[..., Path], answer: Callable[..., tuple[Trial, Result]]
) -> None:
    (trial, result), lost = answer(0, 0.3, 0.1), answer(1, None, reason="x")
    counted = dict(facts(load_run(write_run([(trial, replace(result, restarts=2)), lost]))))
    assert (counted["restarts of trials"], counted["failed"]) == ("2", "1")


def test_a_complete_run_needs_no_remark(make_run: Callable[..., Path]) -> None:
    assert state(load_run(make_run(n=40))) == ()


def test_a_result_without_extras_leaves_sections_with_a_sentence(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(0, 0.3)], run=None, space=None, objective=None, default=None, command=None))
    found = {section.name: section for section in sections_of(run)}
    for name in ("hyperparameters", "searches", "cells"):
        assert found[name].notes, name
        assert not found[name].plots, name
    assert "optimum is unknown" in state(run)[0]


def test_a_run_without_results_is_explained(write_run: Callable[..., Path], answer: Callable[..., object]) -> None:
    for answers in ([], [answer(0, None, reason="exploded")]):
        found = {section.name: section for section in sections_of(load_run(write_run(answers)))}
        assert list(found) == NAMES
        assert not any(section.plots for section in found.values())
    assert found["trials"].tables[0].cells == (("crashed", "exploded", "1"),)


TABLE = {"name": "table", "table": {"cells": 9, "seeds": 2, "epochs": [3, 27]}}


def test_of_look_ups_it_is_said_where_they_begin_and_which_count_for_nothing(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    answers = [answer(n, 0.3, 0.1, epochs=(27, 3)[n], config={"x": n}) for n in range(2)]
    for head, begins, short in (
        ({"objective": TABLE, "default": {"x": 0}}, True, True),
        ({"objective": TABLE, "default": {"x": 1}}, False, True),
        ({"default": {"x": 0}}, False, False),
    ):
        said = state(load_run(write_run(answers, **head)))
        assert (FIRST_CELL_NOTE in said) is begins
        assert any(text.startswith("1 look-up asked for fewer epochs than the table has") for text in said) is short


def test_a_page_of_look_ups_has_nothing_of_searches_and_confirmations(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    run = load_run(write_run([answer(n, 0.3, 0.1, config={"x": n}) for n in range(2)], objective=TABLE))
    assert [section.name for section in sections_of(run)] == [name for name in NAMES if name != "searches"]
    assert sections_of(run)[0].title == "Incumbent"


def test_importance_that_explains_nothing_is_not_drawn(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    space = {"hyperparameters": [{"type": "uniform_float", "name": "x", "lower": 0, "upper": 1, "default_value": 0.5}]}
    errors = (0.1, 0.3, 0.2, 0.4, 0.15, 0.35, 0.25, 0.1, 0.3, 0.2, 0.4, 0.15)
    run = load_run(write_run([answer(n, e, config={"x": n / 12}) for n, e in enumerate(errors)], space=space))
    (section,) = (section for section in sections_of(run) if section.name == "hyperparameters")
    assert "importance" not in [plot.name for plot in section.plots]
    assert section.notes[0].startswith("Importance is not shown: forests fitted to 12 trials explain")


def trajectory(epochs: int) -> dict[str, object]:
    return {"trajectory": {"valid_error": [0.2] * epochs}}


def test_curves_of_default_and_incumbent_have_the_same_epochs(
    write_run: Callable[..., Path], answer: Callable[..., tuple[Trial, Result]]
) -> None:
    default, tuned = {"x": 1}, {"x": 2}
    answers = [
        answer(0, 0.30, epochs=3, config=default, info=trajectory(3)),
        answer(1, 0.25, epochs=3, config=tuned, info=trajectory(3)),
        answer(2, 0.20, epochs=9, config=tuned, info=trajectory(9)),
    ]
    found = searches_with_trajectory(load_run(write_run(answers, default=default)))
    assert {role: e.trial.id for role, e in found.items()} == {"default": 0, "tuned": 1}
    two = [answers[0], answer(1, 0.20, epochs=9, config=tuned, info=trajectory(9))]
    alone = load_run(write_run(two, default=default))
    assert {role: e.trial.id for role, e in searches_with_trajectory(alone).items()} == {"tuned": 1}
    fresh = [answer(key, 0.3, epochs=9, config=(default, tuned)[key], info=trajectory(9)) for key in (0, 1)]
    again = searches_with_trajectory(load_run(write_run(two, default=default, confirmed=fresh)))
    assert [e.trial.epochs for e in again.values()] == [9, 9]
    stayed = searches_with_trajectory(load_run(write_run(answers[:1], default=default)))
    assert list(stayed) == ["default"]


def test_of_cells_no_default_is_spoken_of(
    write_run: Callable[..., Path], answer: Callable[..., object], make_run: Callable[..., Path]
) -> None:
    answers = [answer(n, 0.3 + n / 100, 0.1, epochs=27, config={"x": n}) for n in range(3)]
    space = {"hyperparameters": [{"type": "uniform_int", "name": "x", "lower": 0, "upper": 3, "default_value": 0}]}
    run = load_run(write_run(answers, objective=TABLE, default=None, space=space))
    assert (run.has_default, load_run(make_run(n=12)).has_default) == (False, True)
    said = [state(run), headline(run).sentence]
    for section in sections_of(run):
        if section.name != "provenance":
            said += [section.title, section.notes, [(plot.title, plot.caption) for plot in section.plots]]
            said += [(table.title, table.head) for table in section.tables]
    assert "Incumbent" in said
    assert "default" not in str(said).lower()


def test_a_run_that_has_only_drawn_is_said_to_be_random_search_so_far(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    answers = [answer(n, 0.3, 0.1, epochs=27, config={"x": n}) for n in range(2)]
    drawn = [(replace(trial, memo={"parent": None}), result) for trial, result in answers]
    mutated = [*drawn[:1], (replace(drawn[1][0], memo={"parent": 0}), drawn[1][1])]
    for trials, is_said in ((drawn, True), (mutated, False)):
        said = state(load_run(write_run(trials, run={"tuner": "re", "tuner_options": {"population": 100}})))
        assert any("re was random search so far: of 2 trials none" in text for text in said) is is_said
