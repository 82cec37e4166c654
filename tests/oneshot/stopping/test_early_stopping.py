from __future__ import annotations

import numpy as np
import pytest

from metaopt.oneshot.stopping.early_stopping import STOP_RULES, EarlyStopping, default_every

# Searches of Zela et al. 2020 on their space S1 with CIFAR-10: after epochs 0 and 10, largest, mean of the last three,
# and the epoch the released code stopped at. The recorded series are megabytes of Hessians; these are constructed,
# straight lines between a few points, to have those figures.
PUBLISHED = {
    "weight decay 3e-4, first": ((0.18, 0.25, 1.32, 0.79), 10, {14: 0.27, 24: 0.60, 38: 1.32, 46: 0.79}),
    "weight decay 3e-4, second": ((0.17, 0.22, 0.90, 0.39), 10, {14: 0.24, 24: 0.50, 36: 0.90, 46: 0.39}),
    "weight decay 3e-4, third": ((0.15, 0.18, 1.06, 0.75), 18, {22: 0.21, 26: 0.23, 30: 0.45, 40: 1.06, 46: 0.75}),
    "weight decay 81e-4, first": ((0.12, 0.17, 0.27, 0.22), None, {40: 0.27, 46: 0.22}),
    "weight decay 81e-4, second": ((0.06, 0.15, 0.27, 0.20), None, {44: 0.27, 46: 0.20}),
    "weight decay 81e-4, third": ((0.07, 0.16, 0.24, 0.21), 36, {30: 0.14, 40: 0.145, 42: 0.17, 44: 0.24, 46: 0.21}),
}


def feed(stopping: EarlyStopping, series: dict[int, float]) -> tuple[int, int] | None:
    """Returns when the rule fires and what it goes back to."""
    for epoch, eigenvalue in series.items():
        if (stop := stopping.update(epoch, eigenvalue)) is not None:
            return epoch, stop
    return None


@pytest.mark.parametrize(("figures", "stop", "points"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_stop_epochs(
    figures: tuple[float, float, float, float], stop: int | None, points: dict[int, float]
) -> None:
    epochs = [*range(0, 50, 2), 49]
    points = {0: figures[0], 10: figures[1], **points, 49: figures[3]}
    series = dict(zip(epochs, np.interp(epochs, list(points), list(points.values())), strict=True))
    assert len(series) == 26
    found = (series[0], series[10], max(series.values()), np.mean(list(series.values())[-3:]))
    assert found == pytest.approx(figures)

    fired = feed(EarlyStopping(STOP_RULES["code"], 50, every=2), series)
    assert fired == (None if stop is None else (stop + 12, stop))


def step(epochs: int, at: int, before: float = 0.2, after: float = 0.4) -> dict[int, float]:
    return {epoch: before if epoch < at else after for epoch in range(epochs)}


def test_the_paper_s_rule_by_hand() -> None:
    """Means over 5 epochs: 2 of 5 doubled give 1.4 times the earlier mean, 1 of 5 gives 1.2; the bound is 4 / 3."""
    assert feed(EarlyStopping(STOP_RULES["paper"], 50, every=1), step(50, at=30)) == (31, 24)


def test_a_quarter_below_is_not_far_enough() -> None:
    rule = STOP_RULES["paper"]
    assert feed(EarlyStopping(rule, 50, every=1), step(50, at=30, before=0.75, after=0.99)) is None
    assert feed(EarlyStopping(rule, 50, every=1), step(50, at=30, before=0.75, after=1.01)) == (34, 27)


@pytest.mark.parametrize("name", STOP_RULES)
def test_measurements_count_and_not_epochs(name: str) -> None:
    """Half the epochs at twice the rate are the same search to a rule."""
    published = feed(EarlyStopping(STOP_RULES[name], 50, every=2), {2 * e: x for e, x in step(25, at=16).items()})
    short = feed(EarlyStopping(STOP_RULES[name], 25, every=1), step(25, at=16))
    assert published is not None
    assert short is not None
    assert published == (2 * short[0], 2 * short[1])


@pytest.mark.parametrize("name", STOP_RULES)
@pytest.mark.parametrize("epochs", [4, 8, 16, 25, 100])
def test_a_growing_eigenvalue_stops_searches_of_any_length(name: str, epochs: int) -> None:
    stopping = EarlyStopping(STOP_RULES[name], epochs, default_every(epochs))
    fired = feed(stopping, {e: 3.0**e for e in range(0, epochs, default_every(epochs))})
    assert fired is not None
    detected, stop = fired
    assert round(0.2 * epochs) <= stop < detected < epochs - 1
    assert detected - stop == stopping.reach


def test_nothing_is_stopped_in_the_last_epoch_or_before_a_fifth() -> None:
    rule = STOP_RULES["code"]
    assert feed(EarlyStopping(rule, 25, every=1), step(25, at=24, after=100.0)) is None
    assert feed(EarlyStopping(rule, 25, every=1), {e: 1.0 if e < 4 else 9.0 for e in range(25)}) is None


def test_growth_from_nothing_or_less_is_no_ratio() -> None:
    assert feed(EarlyStopping(STOP_RULES["code"], 25, every=1), step(25, at=16, before=-0.1, after=-0.4)) is None
    assert feed(EarlyStopping(STOP_RULES["code"], 25, every=1), dict.fromkeys(range(25), 0.0)) is None


def test_after_going_back_only_the_new_course_counts() -> None:
    stopping = EarlyStopping(STOP_RULES["code"], 25, every=1)
    fired = feed(stopping, step(25, at=16))
    assert fired is not None
    _, stop = fired
    stopping.rewind(stop)
    assert feed(stopping, dict.fromkeys(range(stop + 1, 25), 0.2)) is None
    stopping.rewind(stop)
    again = feed(stopping, dict.fromkeys(range(stop + 1, 25), 0.4))
    assert again is not None
    assert again[1] >= stop


@pytest.mark.parametrize(("epochs", "every"), [(1, 1), (16, 1), (25, 1), (50, 2), (100, 4)])
def test_as_many_measurements_as_published(epochs: int, every: int) -> None:
    assert default_every(epochs) == every
