from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from metaopt.oneshot.darts import Darts
from searches import batches, small_search


def test_one_step_of_adam_on_the_validation_loss_by_hand() -> None:
    search = small_search("darts", arch_learning_rate=0.01, arch_weight_decay=0.1)
    darts = search.optimizer
    assert isinstance(darts, Darts)
    train, valid = batches(search)
    before = [t.detach().clone() for t in darts.arch.tensors]
    loss = F.cross_entropy(search.supernet(valid[0], darts.mix()), valid[1])
    gradients = torch.autograd.grad(loss, darts.arch.tensors)
    darts.arch_step(train, valid)
    for old, new, gradient in zip(before, darts.arch.tensors, gradients, strict=True):
        decayed = gradient + 0.1 * old
        # Adam's first step: both moments are unbiased to the gradient itself
        expected = old - 0.01 * decayed / (decayed.abs() + 1e-8)
        torch.testing.assert_close(new.detach(), expected, rtol=1e-4, atol=1e-6)
    assert all(p.grad is None for p in search.supernet.parameters())


def test_perturbed_weights_stay_weights_and_grow_apart_with_the_epochs() -> None:
    darts = small_search("darts", perturb=True, perturb_start=0.0, perturb_end=0.3).optimizer
    assert isinstance(darts, Darts)
    base = darts.mix()
    distance = []
    for elapsed in (0.0, 0.2, 1.0):
        darts.elapsed = elapsed
        mixes = [darts.weight_mix() for _ in range(200)]
        for mix in mixes:
            for row in (*mix.ops, mix.output, mix.inputs[2]):
                assert row.sum().item() == pytest.approx(1, abs=1e-5)
                assert (row >= 0).all()
        distance.append(max((mix.output - base.output).abs().max().item() for mix in mixes))
    assert distance[0] < 1e-6
    assert 0.05 < distance[1] < distance[2] < 1


def test_without_perturb_the_weights_learn_under_the_softmax() -> None:
    darts = small_search("darts").optimizer
    state = darts.parts.generator.get_state()
    mix, base = darts.weight_mix(), darts.mix()
    assert torch.equal(mix.ops, base.ops)  # type: ignore[union-attr]
    assert torch.equal(state, darts.parts.generator.get_state())


def test_no_perturbation_opens_what_is_closed() -> None:
    darts = small_search("darts", perturb=True, perturb_start=1.0).optimizer
    assert isinstance(darts, Darts)
    darts.arch.closed.ops[0, 1:] = darts.arch.closed.output[2] = True
    for _ in range(20):
        mix = darts.weight_mix()
        assert mix.ops[0].tolist() == [1, 0, 0]
        assert mix.output[2] == 0
