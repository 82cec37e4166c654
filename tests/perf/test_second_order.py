"""How near the published finite differences of second-order DARTS come to the exact product, and what each costs.

Along a search on digits; the error is that of the whole architecture gradient, over the norm of the exact one. First
order is what leaves the product out.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from metaopt.oneshot.darts2 import Darts2
from metaopt.oneshot.train import Search
from searches import batches, small_search


def gradient(search: Search, hessian: str) -> tuple[torch.Tensor, float]:
    """The architecture gradient on a pair of batches, and its CPU seconds."""
    optimizer = search.optimizer
    assert isinstance(optimizer, Darts2)
    optimizer.settings = replace(optimizer.settings, hessian="exact" if hessian == "exact" else "finite_differences")
    search.supernet.train()
    started = time.process_time()
    train, valid = batches(search, 96)
    if hessian == "first order":
        found = torch.autograd.grad(optimizer.valid_loss(valid), optimizer.arch.tensors)
    else:
        found = optimizer.arch_gradients(train, valid)
    return torch.cat([tensor.flatten() for tensor in found]), time.process_time() - started


@pytest.mark.perf
def test_finite_differences_against_the_exact_product(capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    search = small_search("darts2", channels=8)
    for epoch in search.epochs(16):
        if epoch.epoch in (1, 4, 8, 16):
            exact, exact_s = gradient(search, "exact")
            lines = []
            for kind in ("finite_differences", "first order"):
                found, cost_s = gradient(search, kind)
                lines.append(f"{kind} off by {(found - exact).norm() / exact.norm():.2f} in {cost_s / exact_s:.2f}")
            with capsys.disabled():
                print(f"\nepoch {epoch.epoch}: {', '.join(lines)} of the time of the exact product", end="")
    assert exact.isfinite().all()
