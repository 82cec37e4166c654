from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from metaopt.report.data.groups import grid_repeats, study_groups
from metaopt.report.data.load import load_run, load_runs


def test_a_group_differs_in_seed_and_resources_only(make_run: Callable[..., Path]) -> None:
    runs = load_runs(
        [
            make_run("darts-s0", n=1, optimizer="darts", seed=0, workers=1),
            make_run("gdas-s0", n=1, optimizer="gdas", seed=0),
            make_run("darts-s1", n=1, optimizer="darts", seed=1, workers=2),
        ]
    )
    groups = study_groups(runs)
    assert [(group.label, [run.name for run in group.runs]) for group in groups] == [
        ("darts", ["darts-s0", "darts-s1"]),
        ("gdas", ["gdas-s0"]),
    ]


def test_runs_that_differ_in_more_than_the_seed_are_no_group(make_run: Callable[..., Path]) -> None:
    folders = [make_run(f"darts-channels-{n}-s10", n=1, channels=n, seed=10) for n in (4, 8)]
    assert [group.label for group in study_groups(load_runs(folders))] == ["darts-channels-4", "darts-channels-8"]


def test_searches_of_one_configuration_are_repeats_whatever_their_run(
    write_run: Callable[..., Path], answer: Callable[..., Any]
) -> None:
    def grid(seed: int) -> Path:
        trials = [
            answer(0, 0.1, 0.2, config={"decay": 3e-4, "cutout": False}),
            answer(1, 0.1, 0.3, config={"decay": 0.01, "cutout": True, "length": 4}),
            answer(2, 0.1, 0.4, config={"decay": 3e-4, "cutout": False}),
            answer(3, None, reason="on purpose", config={"decay": 0.01, "cutout": True, "length": 4}),
            answer(4, None, config={"decay": 3e-4, "cutout": False}),
        ]
        return write_run(trials, run={"optimizer": "darts", "tuner": "grid", "seed": seed}, name=f"darts-s{seed}")

    first, second = grid_repeats(study_groups(load_runs([grid(0), grid(1)])))
    assert (first.name, second.name) == ("darts, cutout False, decay 0.0003", "darts, cutout True, decay 0.01")
    assert [e.test_error for e in first.evaluations] == [0.2, 0.4, 0.2, 0.4]
    assert (first.failed, second.failed) == (0, 2)


def test_a_single_configuration_has_the_name_of_its_group_and_other_tuners_repeat_nothing(
    write_run: Callable[..., Path], answer: Callable[..., Any]
) -> None:
    folders = [write_run([answer(0, 0.1, 0.2)], run={"tuner": tuner}, name=f"{tuner}-s0") for tuner in ("grid", "bohb")]
    (only,) = grid_repeats(study_groups([load_run(folder) for folder in folders]))
    assert (only.label, only.name) == ("", "grid")
