from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from metaopt.report.data.contestants import problems
from metaopt.report.data.groups import Group

GroupOf = Callable[..., Group]


def test_groups_are_compared_within_their_problem(group_of: GroupOf) -> None:
    one = [group_of(f"cells-{name}-cell_space-1", [[0.3], [0.2]]) for name in ("random", "re")]
    two = [group_of(f"cells-{name}-cell_space-2", [[0.3]], cell_space=2) for name in ("random", "re")]
    alone = group_of("other", [[0.1]], benchmark="nasbench101")
    found = problems([*one, *two, alone])
    assert [problem.name for problem in found] == ["digits, cell space 1", "digits, cell space 2"]
    for problem in found:
        assert [one.label for one in problem.contestants] == ["cells-random", "cells-re"], "called alike on both"
    assert found[0].contestants[0].seeds == (0, 1)
    assert found[0].contestants[0].looks_up


def test_a_grid_is_no_contestant(group_of: GroupOf) -> None:
    assert problems([group_of("a", [[0.3]], tuner="grid"), group_of("b", [[0.3]]), group_of("c", [[]])]) == []


def test_runs_without_a_cell_are_left_out_openly(group_of: GroupOf) -> None:
    groups = [group_of("a", [[0.3], [None, None], []]), group_of("b", [[0.2]]), group_of("c", [[None]])]
    (problem,) = problems(groups)
    a = problem.contestants[0]
    assert [one.label for one in problem.contestants] == ["a", "b"]
    assert (a.left_out, len(a.runs), len(a.data)) == (("a-s1", "a-s2"), 1, 3)
    assert (a.answered, a.failed) == (3, 2)
    assert any("no cell with a test error in a-s1, a-s2; no value below holds them" in note for note in problem.notes)
    assert any("c-s0; the group has no other run and is left out" in note for note in problem.notes)


def test_runs_are_in_the_order_of_their_seeds(group_of: GroupOf) -> None:
    (problem,) = problems([group_of("a", [[0.1], [0.2], [0.3]], seeds=[5, 1, 3]), group_of("b", [[0.2]])])
    assert problem.contestants[0].seeds == (1, 3, 5)
    assert [run.curve.test[-1] for run in problem.contestants[0].runs] == [0.2, 0.3, 0.1]


def test_the_noise_of_single_precision_makes_no_difference(group_of: GroupOf) -> None:
    value = 0.0307035175879397
    (problem,) = problems([group_of("a", [[value]]), group_of("b", [[float(np.float32(value))]])])
    a, b = (one.runs[0].curve.test[-1] for one in problem.contestants)
    assert a == b


def test_nor_does_it_where_rounding_would_drive_equal_errors_apart(group_of: GroupOf) -> None:
    (problem,) = problems([group_of("a", [[0.02065885 - 1e-9, 0.02]]), group_of("b", [[0.02065885 + 1e-9, 0.03]])])
    a, b = (one.runs[0].curve for one in problem.contestants)
    assert a.test.tolist() == [0.0206588, 0.02]
    assert b.test.tolist() == [0.0206588, 0.0206588]


def test_what_was_not_measured_alike_is_said(group_of: GroupOf) -> None:
    a, b = group_of("a", [[0.3]]), group_of("b", [[0.2]])
    other = replace(
        b.runs[0], header={**b.runs[0].header, "objective": {"optimum_test_error": 0.1, "table": {"cells": 7}}}
    )
    (problem,) = problems([a, Group("b", (other,))])
    assert [note[:36] for note in problem.notes] == [
        "**The runs do not agree on the lowes",
        "**The runs were scored by tables tha",
    ]
    (alike,) = problems([a, b])
    assert alike.notes == ()
