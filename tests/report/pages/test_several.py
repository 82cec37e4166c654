from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from metaopt.report.data.load import load_runs
from metaopt.report.pages.several import comparison, grouped


def test_runs_that_differ_in_seed_only_are_one_group(make_run: Callable[..., Path]) -> None:
    folders = [make_run(f"s{seed}", n=1, seed=seed, workers=seed + 1) for seed in range(2)]
    folders.append(make_run("random", n=1, tuner="random", tuner_options={}))
    groups = grouped(load_runs(folders))
    assert {label: len(runs) for label, runs in groups.items()} == {"darts, bohb": 2, "darts, random": 1}


def test_a_label_names_what_differs(make_run: Callable[..., Path]) -> None:
    folders = [make_run(f"e{epochs}", n=1, max_epochs=epochs) for epochs in (9, 27)]
    assert list(grouped(load_runs(folders))) == ["darts, bohb, max_epochs 9", "darts, bohb, max_epochs 27"]


def test_problems_do_not_share_a_figure(make_run: Callable[..., Path]) -> None:
    folders = [make_run(f"r{n}", n=3, cell_space=space, confirm=0) for n, space in enumerate((1, 1, 2))]
    first, second = comparison(load_runs(folders))
    assert (first.title, second.title) == ("Runs on digits space 1", "Runs on digits space 2")
    assert [plot.name for plot in first.plots] == [
        "compare-valid-evaluations",
        "compare-valid-seconds",
        "compare-test-evaluations",
        "compare-test-seconds",
    ]
    assert [row[0] for row in first.tables[0].rows] == ["r0", "r1"]


def test_runs_without_a_result_are_listed_and_not_drawn(
    write_run: Callable[..., Path], answer: Callable[..., object]
) -> None:
    folders = [write_run([], name="a"), write_run([answer(0, None, reason="x")], name="b")]
    (section,) = comparison(load_runs(folders))
    assert section.plots == ()
    assert [row[-1] for row in section.tables[0].rows] == ["open", "worse"]
