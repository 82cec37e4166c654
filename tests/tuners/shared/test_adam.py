from __future__ import annotations

import numpy as np
import torch

from metaopt.core.seeds import stream
from metaopt.tuners.shared.adam import Adam


def test_steps_are_those_of_torch() -> None:
    gradients = stream(0, "adam").standard_normal((20, 3))
    theirs = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optim = torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99))
    ours, adam = np.zeros(3), Adam(3, (0.9, 0.99))
    for gradient in gradients:
        ours -= adam.step(gradient, 0.1)
        theirs.grad = torch.from_numpy(gradient)
        optim.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9)


def test_the_first_step_is_as_long_as_the_rate() -> None:
    assert np.allclose(Adam(2, (0.9, 0.999)).step(np.array([3.0, -0.2]), 0.5), [0.5, -0.5])
