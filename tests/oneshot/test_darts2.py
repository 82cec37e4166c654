from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from metaopt.oneshot import darts2
from metaopt.oneshot.darts2 import Darts2
from metaopt.oneshot.train import Search
from searches import batches, small_search


def prepared(hessian: str, **settings: float) -> tuple[Search, Darts2]:
    """A search in double precision after one weight step, so that SGD has momentum."""
    search = small_search("darts2", hessian=hessian, learning_rate=0.1, **settings)
    search.supernet.double()
    for half in (search.weight_half, search.arch_half):
        object.__setattr__(half, "mean", half.mean.double())
        object.__setattr__(half, "deviation", half.deviation.double())
    darts = search.optimizer
    assert isinstance(darts, Darts2)
    for tensor in darts.arch.tensors:
        tensor.data = tensor.data.double()
    search.supernet.train()
    for images, labels in search.weight_half.batches(64, np.random.default_rng(0)):
        search._weight_step(images, labels)
        break
    return search, darts


def looking_ahead(search: Search, darts: Darts2) -> list[torch.Tensor]:
    """The same gradient by differentiating the loss after the step, as a function of the architecture."""
    (images, labels), (valid_images, valid_labels) = batches(search)
    net, group = search.supernet, search.weight_optim.param_groups[0]
    loss = F.cross_entropy(net(images, darts.mix()), labels)
    names = [name for name, _ in net.named_parameters()]
    gradients = torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
    ahead = {}
    for name, gradient in zip(names, gradients, strict=True):
        weight = net.get_parameter(name)
        buffer = search.weight_optim.state[weight]["momentum_buffer"]
        step = gradient + group["weight_decay"] * weight + group["momentum"] * buffer
        ahead[name] = weight - group["lr"] * step
    logits = functional_call(net, ahead, (valid_images, darts.mix()))
    return list(torch.autograd.grad(F.cross_entropy(logits, valid_labels), darts.arch.tensors))


@pytest.mark.parametrize("hessian", ["exact", "finite_differences"])
def test_gradient_of_the_loss_one_step_ahead(hessian: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published step of 0.01 crosses kinks of a network this small; a short one in double precision does not."""
    assert darts2._STEP == 0.01
    monkeypatch.setattr(darts2, "_STEP", 1e-6)
    search, darts = prepared(hessian)
    expected = torch.cat([t.flatten() for t in looking_ahead(search, darts)])
    before = [p.detach().clone() for p in search.supernet.parameters()]
    found = torch.cat([t.flatten() for t in darts.arch_gradients(*batches(search))])
    assert (found - expected).norm() < 1e-6 * expected.norm()
    first_order = torch.autograd.grad(darts.valid_loss(batches(search)[1]), darts.arch.tensors)
    assert (torch.cat([t.flatten() for t in first_order]) - expected).norm() > 0.02 * expected.norm()
    for weight, kept in zip(search.supernet.parameters(), before, strict=True):
        assert torch.equal(weight, kept)


def test_all_passes_over_a_training_batch_drop_the_same_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference of two losses under different masks, divided by the short step, would be noise."""
    monkeypatch.setattr(darts2, "_STEP", 1e-6)
    found = []
    for hessian in ("exact", "finite_differences"):
        search, darts = prepared(hessian, drop_path_prob=0.4)
        search.supernet.drop_path_prob = 0.4
        search.supernet.drop_path_generator.manual_seed(3)
        found.append(torch.cat([t.flatten() for t in darts.arch_gradients(*batches(search))]))
    assert (found[0] - found[1]).norm() < 1e-6 * found[0].norm()


def test_the_published_step_is_far_from_the_exact_product_early_on() -> None:
    """As the settings and the space say: off by more than the product itself after three steps."""
    search, darts = prepared("exact")
    for train, valid in islice(search._batches(0, 12), 3):
        darts.arch_step(train, valid)
        search._weight_step(*train)
    train, valid = batches(search)
    weights, loss = list(search.supernet.parameters()), darts._train_loss(train)
    with darts._moved(weights, darts._step_ahead(loss, weights), -search.settings.learning_rate):
        vector = torch.autograd.grad(darts.valid_loss(valid), weights)
    exact, approximate = (
        torch.cat([tensor.flatten() for tensor in product(loss, weights, vector)])
        for product in (darts._exact, darts._finite_differences)
    )
    assert (approximate - exact).norm() > exact.norm()
