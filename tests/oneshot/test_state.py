from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from metaopt.oneshot.state import SearchState, Trained
from metaopt.oneshot.stopping.monitor import Return
from searches import batches, small_search


def new_state(**changes: object) -> SearchState:
    search = small_search("darts", early_stopping="code", adaptive=True)
    return replace(search.begin(10), **changes)


def test_a_state_resumes_where_it_was_saved() -> None:
    last = Trained(0.5, None, "a note")
    state = new_state(epoch=3, trained=5, numbers={0: 1, 2: 5}, last=last, over=True)
    assert state.monitor is not None
    state.monitor.update(2, state.monitor.measure(2, batches(small_search("darts"))[1]), lambda: {"after": 2})
    other = new_state()
    other.restore(state.save())
    assert other.save()["course"] == state.save()["course"]
    assert (other.epoch, other.trained, other.last, other.over) == (3, 5, last, True)
    assert other.optimizer.elapsed == pytest.approx(0.3)
    other.numbers[7] = 9
    assert 7 not in state.numbers


def test_names_in_a_checkpoint_are_those_of_earlier_versions() -> None:
    saved = small_search("darts").begin(3).save()
    assert saved.keys() == {"model", "course"}
    assert saved["model"].keys() == {"supernet", "weight_optim", "drop_path", "optimizer"}
    empty = {"guard": None, "epoch": 0, "trained": 0, "numbers": {}, "last": None, "over": False}
    assert saved["course"] == empty


def test_going_back_undoes_the_training_and_raises_the_penalty() -> None:
    state = new_state()
    kept = state.copy_model()
    weight = next(state.supernet.parameters())
    before = weight.detach().clone()
    with torch.no_grad():
        weight += 1.0
    state.go_back(Return(1, kept, 3e-3, "a reason"))
    assert torch.equal(weight, before)
    assert state.optimizer.elapsed == pytest.approx(0.2)
    assert {group["weight_decay"] for group in state.weight_optim.param_groups} == {3e-3}
