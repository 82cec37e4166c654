from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metaopt.oneshot.stopping.early_stopping import STOP_RULES, EarlyStopping
from metaopt.oneshot.stopping.monitor import CurvatureMonitor, Return

BATCH = torch.zeros(1), torch.zeros(1)


def run(
    series: list[float], *, dropped: bool = False, **settings: Any
) -> tuple[list[float | None], list[tuple[int, Return]]]:
    """Feeds a course of eigenvalues, one per epoch trained; returns what was measured and where it went back to.

    With ``dropped`` every epoch has a monitor of its own, which goes on from the state of the one before.
    """
    epochs = settings.setdefault("epochs", 25)
    values = iter(series)
    settings = {"every": 0, "rule": "off", "adaptive": False, "weight_decay": 3e-4, **settings}
    monitor = CurvatureMonitor(lambda _: next(values), **settings)
    measured, returns, epoch = [], [], 0
    while epoch < epochs:
        measured.append(monitor.measure(epoch, BATCH))
        back = monitor.update(epoch, measured[-1], lambda: {"after": epoch})  # noqa: B023
        if back is not None:
            returns.append((epoch, back))
            if back.weight_decay is None:
                break
            epoch = back.epoch
        epoch += 1
        if dropped:
            state, monitor = monitor.state(), CurvatureMonitor(lambda _: next(values), **settings)
            monitor.load_state(state)
    return measured, returns


def test_measures_as_often_as_asked_and_after_the_last_epoch() -> None:
    measured, returns = run([float(n) for n in range(9)], epochs=8, every=3)
    assert measured == [0.0, None, None, 1.0, None, None, 2.0, 3.0]
    assert returns == []


def test_a_rule_has_what_it_needs_measured_and_no_more() -> None:
    measured, _ = run([0.2] * 50, epochs=50, rule="code")
    assert [epoch for epoch, value in enumerate(measured) if value is not None] == [*range(0, 50, 2), 49]
    measured, _ = run([], epochs=50)
    assert measured == [None] * 50


def test_early_stopping_ends_where_the_rule_says_with_the_state_of_that_epoch() -> None:
    series = [0.2] * 16 + [0.4] * 9
    _, [(detected, back)] = run(series, rule="code")
    alone = EarlyStopping(STOP_RULES["code"], 25, every=1)
    assert (detected, back.epoch) == next((e, s) for e, x in enumerate(series) if (s := alone.update(e, x)) is not None)
    assert back == Return(back.epoch, {"after": back.epoch}, None, "stopped by the rule code")


def test_adaptive_raises_the_penalty_ten_times_up_to_its_maximum_and_then_lets_go() -> None:
    """Each return repeats the course that fires; 3e-4, 3e-3 and 3e-2 are the published penalties."""
    series = [0.2] * 10 + [0.2 * 2.0**n for n in range(90)]
    measured, returns = run(series, rule="code", adaptive=True)
    assert [back.weight_decay for _, back in returns] == pytest.approx([3e-3, 3e-2])
    assert [back.reason for _, back in returns] == [
        f"weight decay raised to 0.{p} by the rule code" for p in ("003", "03")
    ]
    assert all(back.state == {"after": back.epoch} for _, back in returns)
    redone = sum(detected - back.epoch for detected, back in returns)
    assert len(measured) == 25 + redone
    assert measured[-1] is None  # nothing is left to decide, and nobody asked for the figures


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.sampled_from([0.1, 1.0, 10.0, 1e3, -1.0]), min_size=600, max_size=600),
    epochs=st.integers(1, 60),
    every=st.integers(0, 5),
    rule=st.sampled_from(["off", *STOP_RULES]),
    adaptive=st.booleans(),
    weight_decay=st.sampled_from([1e-6, 3e-5, 3e-4, 1e-3, 0.029999999, 0.03, 0.5]),
)
def test_no_course_is_trained_longer_than_a_guard_says(values: list[float], **course: Any) -> None:
    measured, _ = run(values, **course)
    assert len(measured) <= course["epochs"] + CurvatureMonitor(lambda _: 0.0, **course).most_again


@pytest.mark.parametrize("rule", STOP_RULES)
@pytest.mark.parametrize(("epochs", "every"), [(4, 1), (5, 1), (6, 1), (7, 2), (25, 0), (50, 0), (50, 3), (13, 4)])
def test_a_course_that_always_grows_is_trained_as_long_as_a_guard_says(rule: str, epochs: int, every: int) -> None:
    course = {"epochs": epochs, "every": every, "rule": rule, "adaptive": True, "weight_decay": 1e-5}
    measured, returns = run([10.0**n for n in range(300)], **course)
    assert len(measured) == epochs + CurvatureMonitor(lambda _: 0.0, **course).most_again
    assert len(returns) in (0, 4)


def test_adaptive_has_nothing_to_do_with_the_penalty_at_its_maximum() -> None:
    measured, returns = run([1.0] * 25, rule="code", adaptive=True, weight_decay=3e-2)
    assert (set(measured), returns) == ({None}, [])


def test_a_course_that_calms_down_after_the_raise_is_left_alone() -> None:
    detected = 16
    measured, returns = run([0.2] * detected + [0.8] + [0.2] * 25, rule="code", adaptive=True)
    assert [(at, back.weight_decay) for at, back in returns] == [(detected, pytest.approx(3e-3))]
    assert measured.count(0.8) == 1


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_guard_goes_on_from_the_state_of_another(adaptive: bool) -> None:
    """Also after its last raise, when it has let go."""
    series = [0.2] * 10 + [0.2 * 2.0**n for n in range(90)]
    whole, dropped = (run(series, rule="code", adaptive=adaptive, dropped=dropped) for dropped in (False, True))
    assert dropped == whole
    assert len(whole[1]) == 1 + adaptive
