from __future__ import annotations

import json

import torch

from metaopt.oneshot.state import Course, Trained
from metaopt.oneshot.stopping.guard import Guard

BATCH = torch.zeros(1), torch.zeros(1)


def guard() -> Guard:
    return Guard(lambda _: 1.0, epochs=10, every=1, rule="code", adaptive=True, weight_decay=3e-4)


def test_a_course_goes_on_where_it_was() -> None:
    course = Course(10, guard(), epoch=3, trained=5, numbers={0: 1, 2: 5}, last=Trained(0.5, None, "a note"), over=True)
    assert course.guard is not None
    course.guard.update(2, course.guard.measure(2, BATCH), lambda: {"after": 2})
    other = Course(10, guard())
    other.load_state(course.state())
    assert other.state() == course.state()
    assert (other.epoch, other.trained, other.last, other.over) == (3, 5, Trained(0.5, None, "a note"), True)
    other.numbers[7] = 9
    assert 7 not in course.numbers


def test_one_at_its_beginning_and_without_a_guard_is_plain_json() -> None:
    course, other = Course(10, None), Course(10, None, epoch=4)
    state = course.state()
    assert json.loads(json.dumps(state)) == state
    other.load_state(state)
    assert other == course
