from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from metaopt.report.data.groups import Group
from metaopt.report.sections.tuners import Block, corrected, shared_blocks, tuner_ranking, tuner_runs

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
    assert list(one.means) == [Block("digits, cell space 1", o, s) for o in ("darts", "gdas") for s in SEEDS]
    assert_allclose(one.default, 0.5)
    assert_allclose(two.tuned, [0.3, 0.28, 0.26] * 2)


def test_a_label_is_the_tuner_s_name_and_what_tells_it_from_others_of_its_name(tuned_group_of: GroupOf) -> None:
    def labels(*groups: Group) -> list[str]:
        return [one.label for one in tuner_runs(groups)]

    def group(optimizer: str, tuner: str, **settings: object) -> Group:
        return tuned_group_of(f"{optimizer}-x", {0: (0.5, 0.4)}, optimizer=optimizer, tuner=tuner, **settings)

    own = [group(optimizer, "bohb", hyperparameters=optimizer) for optimizer in ("darts", "gdas")]
    assert labels(*own) == ["bohb"]
    assert labels(*own, group("darts", "bohb", hyperparameters="darts_cs1")) == [
        "bohb",
        'bohb, hyperparameters "darts_cs1"',
    ]
    assert labels(group("darts", "bohb", cell_space=1), group("darts", "bohb", cell_space=3)) == ["bohb"]
    assert labels(group("darts", "bohb", confirm=3), group("gdas", "tpe", confirm=5)) == ["bohb", "tpe"]
    both = [group("darts", "bohb", confirm=n) for n in (3, 5)]
    assert labels(*both) == ["bohb, confirm 3", "bohb, confirm 5"]


def test_runs_of_a_block_that_differ_in_their_workers_are_averaged(tuned_group_of: GroupOf) -> None:
    some = [
        tuned_group_of("darts", {0: (0.5, tuned)}, optimizer="darts", tuner="tpe", workers=workers)
        for workers, tuned in ((1, 0.4), (4, 0.2))
    ]
    (found,) = tuner_runs(some)
    assert (found.runs, found.finished) == (2, 2)
    assert dict(found.means) == {Block("digits, cell space 1", "darts", 0): (0.5, pytest.approx(0.3))}


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


def test_equal_means_are_equal_whatever_the_noise_of_a_float(tuned_group_of: GroupOf) -> None:
    (found,) = tuner_runs([tuned_group_of("a", {0: (0.1 + 0.2, 0.3)}, optimizer="a", tuner="tpe")])
    assert 0.1 + 0.2 != 0.3
    assert found.default == found.tuned


def test_they_are_equal_also_between_tuners_and_where_rounding_would_drive_them_apart(tuned_group_of: GroupOf) -> None:
    a = tuned_group_of("a", {0: (0.02065885 - 1e-9, 0.01)}, optimizer="a", tuner="tpe")
    b = tuned_group_of("b", {0: (0.02065885 + 1e-9, 0.03)}, optimizer="a", tuner="re")
    first, second = tuner_runs([a, b])
    assert first.default.tolist() == second.default.tolist() == [0.0206588]
    assert (first.tuned.tolist(), second.tuned.tolist()) == ([0.01], [0.03])


def test_the_ratio_does_not_depend_on_the_order_of_groups_in_a_set(tuned_group_of: GroupOf) -> None:
    values = np.random.default_rng(3).uniform(0.01, 0.08, (7, 2))
    some = [tuned_group_of(f"o{k}", {0: tuple(pair)}, optimizer=f"o{k}", tuner="tpe") for k, pair in enumerate(values)]
    (found,) = tuner_runs(some)
    assert [place.default for place in found.places] == pytest.approx(values[:, 0].round(7).tolist(), abs=0)


def test_a_default_that_stayed_is_a_tie(tuned_group_of: GroupOf) -> None:
    (found,) = tuner_runs([tuned_group_of("a", {0: (0.6,), 1: (0.6, 0.5)}, optimizer="a", tuner="tpe")])
    assert found.default.tolist() == [0.6, 0.6]
    assert found.tuned.tolist() == [0.6, 0.5]


def test_a_side_none_of_whose_searches_finished_is_the_worst_there_is(tuned_group_of: GroupOf) -> None:
    some = {s: (0.4, 0.3 if s else None) for s in range(6)}
    (found,) = tuner_runs([tuned_group_of("a", some, optimizer="a", tuner="tpe")])
    assert (found.runs, found.finished, len(found.means)) == (6, 5, 6)
    assert found.tuned[0] == np.inf
    assert found.mean == pytest.approx((0.4, 0.3))
    assert found.ratio == pytest.approx(4 / 3)
    assert found.p_value == pytest.approx(2 * 17 / 2**6), "ranks 3, 3, 3, 3, 3 against 6"
    (nothing,) = tuner_runs([tuned_group_of("a", {0: (0.4, None)}, optimizer="a", tuner="tpe")])
    assert (nothing.ratio, nothing.places) == (None, [])
    assert np.isnan(nothing.mean).all()


def test_runs_without_confirming_searches_have_no_part(tuned_group_of: GroupOf) -> None:
    (found,) = tuner_runs([tuned_group_of("a", {0: (), 1: (0.4, 0.3)}, optimizer="a", tuner="tpe")])
    assert (found.runs, found.finished) == (2, 1)
    assert [block.seed for block in found.means] == [1]
    assert tuner_runs([]) == []
    assert shared_blocks([]) == []
    assert corrected([]) == {}


def test_every_problem_and_optimizer_is_a_place(tuned_group_of: GroupOf) -> None:
    some = [
        tuned_group_of(f"a-{space}", {0: (0.5, 0.1), 1: (0.3, 0.1)}, optimizer="a", tuner="tpe", cell_space=space)
        for space in (1, 2)
    ]
    (found,) = tuner_runs(some)
    assert [block.problem for block in found.means] == ["digits, cell space 1"] * 2 + ["digits, cell space 2"] * 2
    assert found.places == [pytest.approx((0.4, 0.1))] * 2


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
