from __future__ import annotations

from collections.abc import Callable

import pytest
from numpy.testing import assert_allclose

from metaopt.report.comparison.tuners import Block, corrected, shared_blocks, tuner_ranking, tuner_runs
from metaopt.report.study_groups import Group

GroupOf = Callable[..., Group]
SEEDS = range(3)


def groups(
    tuned_group_of: GroupOf, shifts: dict[str, float], optimizers: tuple[str, ...] = ("darts", "gdas")
) -> list[Group]:
    """Every tuner on every optimizer: the default's .5 less a shift, which grows with the seed."""
    return [
        tuned_group_of(
            f"{optimizer}-{tuner}",
            {seed: (0.5, 0.5 - shift * (1 + seed / 10)) for seed in SEEDS},
            optimizer=optimizer,
            tuner=tuner,
        )
        for optimizer in optimizers
        for tuner, shift in shifts.items()
    ]


def test_runs_of_a_tuner_are_those_on_all_optimizers(tuned_group_of: GroupOf) -> None:
    one, two = tuner_runs(groups(tuned_group_of, {"random": 0.1, "bohb": 0.2}))
    assert (one.label, two.label) == ("random", "bohb")
    assert list(one.means) == [Block("digits space 1", o, s) for o in ("darts", "gdas") for s in SEEDS]
    assert_allclose(one.default, 0.5)
    assert_allclose(two.tuned, [0.3, 0.28, 0.26] * 2)


def test_a_tuner_s_label_is_what_is_left_of_the_group_s(tuned_group_of: GroupOf) -> None:
    def label(name: str, **settings: object) -> str:
        (found,) = tuner_runs([tuned_group_of(name, {0: (0.5, 0.4)}, **settings)])
        return found.label

    assert label("darts2-cell_space-3-tpe-budget-50", optimizer="darts2", tuner="tpe", cell_space=3) == "tpe-budget-50"
    assert label("darts", optimizer="darts", tuner="bohb") == "bohb"


def test_the_ratio_is_the_geometric_mean_over_optimizers(tuned_group_of: GroupOf) -> None:
    (found,) = tuner_runs(
        [
            tuned_group_of("a", {0: (0.6, 0.1), 1: (0.2, 0.1)}, optimizer="a", tuner="tpe"),  # 4 times
            tuned_group_of("b", {0: (0.1, 0.1)}, optimizer="b", tuner="tpe"),  # 1 time
        ]
    )
    assert found.ratio == pytest.approx(2.0)
    (none,) = tuner_runs([tuned_group_of("a", {0: (0.6, 0.0)}, optimizer="a", tuner="tpe")])
    assert none.ratio is None


def test_a_default_that_stayed_is_a_tie(tuned_group_of: GroupOf) -> None:
    (found,) = tuner_runs([tuned_group_of("a", {0: (0.6, None), 1: (0.6, 0.5)}, optimizer="a", tuner="tpe")])
    assert found.default.tolist() == [0.6, 0.6]
    assert found.tuned.tolist() == [0.6, 0.5]


def test_runs_without_confirming_searches_have_no_part(group_of: GroupOf, tuned_group_of: GroupOf) -> None:
    looked_up = group_of("cells-re", [[0.3]], tuner="re")
    (found,) = tuner_runs([looked_up, *groups(tuned_group_of, {"tpe": 0.1}, ("darts",))])
    assert found.label == "tpe"
    assert tuner_runs([looked_up]) == []
    assert shared_blocks([]) == []
    assert corrected([]) == {}


def test_p_is_exact_and_corrected_over_those_that_could_be_tested(tuned_group_of: GroupOf) -> None:
    some = groups(tuned_group_of, {"random": 0.1, "bohb": 0.2})
    few = tuned_group_of("darts-smac", dict.fromkeys(SEEDS, (0.5, 0.1)), optimizer="darts", tuner="smac")
    found = tuner_runs([*some, few])
    assert [one.p_value for one in found] == [2 / 2**6, 2 / 2**6, None]
    assert corrected(found) == {"random": 4 / 2**6, "bohb": 4 / 2**6}


def test_tuners_are_ranked_over_blocks_that_all_have(tuned_group_of: GroupOf) -> None:
    shifts = {"random": 0.1, "tpe": 0.05, "bohb": 0.2}
    found = tuner_runs(groups(tuned_group_of, shifts))
    ranked = tuner_ranking(found)
    assert ranked is not None
    assert (ranked.labels, ranked.n_blocks) == (("bohb", "random", "tpe"), 6)
    assert_allclose(ranked.ranks, [1, 2, 3])
    fewer = tuner_runs(groups(tuned_group_of, shifts)[:-1])
    assert len(shared_blocks(fewer)) == 3
    assert tuner_ranking(fewer) is None
    assert tuner_ranking(found[:1]) is None
