"""DARTS, second order (Liu, Simonyan and Yang 2019, section 2.3): the architecture looks one weight step ahead.

Notation: w weights, a architecture, L_t and L_v losses on a training and a validation batch, xi the learning rate of
the weights. The gradient is that of L_v(w', a) with w' the weights after one step of their own SGD, momentum included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.oneshot.base import Batch
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.settings.field import field

_STEP = 0.01  # of the finite difference, over the norm of the direction: Liu et al. 2019, footnote 2


@dataclass(frozen=True, kw_only=True)
class Darts2Settings(DartsSettings):
    """Settings of second-order DARTS.

    Attributes:
        hessian: How the product of the mixed second derivative with a vector is computed: ``finite_differences``, as
            published, or ``exact``, by differentiating twice. The two are no substitutes for each other early in a
            search: at the published step, which crosses kinks of the loss, the differences are off by more than the
            product's own norm. Seen on digits in space 1 with 8 channels: 2.8 and 4.6 times it after 3 steps, 1.4
            and 1.5 times after 60.
    """

    hessian: str = field("finite_differences", choices=("finite_differences", "exact"))


class Darts2(Darts):
    """Second-order DARTS."""

    Settings = Darts2Settings
    settings: Darts2Settings

    def arch_gradients(self, train: Batch, valid: Batch) -> Sequence[Tensor]:
        """Returns dL_v(w', a)/da - xi * d2L_t(w, a)/dadw * dL_v(w', a)/dw' (Liu et al. 2019, equation 7)."""
        weights, tensors = list(self.parts.supernet.parameters()), self.arch.tensors
        rate = self.parts.weight_optim.param_groups[0]["lr"]
        train_loss = self._train_loss(train)
        with self._moved(weights, self._step_ahead(train_loss, weights), -rate):
            gradients = torch.autograd.grad(self.valid_loss(valid), [*tensors, *weights])
        direct, vector = gradients[: len(tensors)], gradients[len(tensors) :]
        mixed = self._exact if self.settings.hessian == "exact" else self._finite_differences
        return [d - rate * m for d, m in zip(direct, mixed(train_loss, weights, vector), strict=True)]

    def _train_loss(self, train: Batch) -> Callable[[], Tensor]:
        """Returns the loss on a training batch as a function, which drops the same paths at every call."""
        (images, labels), masks = train, self.parts.supernet.drop_path_generator
        drawn = masks.get_state()

        def loss() -> Tensor:
            masks.set_state(drawn)
            return F.cross_entropy(self.parts.supernet(images, self.mix()), labels)

        return loss

    def _step_ahead(self, train_loss: Callable[[], Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
        """Returns the direction of the next step of SGD: gradient, L2 penalty and momentum."""
        group, state = self.parts.weight_optim.param_groups[0], self.parts.weight_optim.state
        steps = []
        for weight, gradient in zip(weights, torch.autograd.grad(train_loss(), weights), strict=True):
            step = gradient + group["weight_decay"] * weight.detach()
            buffer = state[weight].get("momentum_buffer") if weight in state else None
            steps.append(step if buffer is None else step + group["momentum"] * buffer)
        return steps

    def _finite_differences(
        self, train_loss: Callable[[], Tensor], weights: Sequence[Tensor], vector: Sequence[Tensor]
    ) -> list[Tensor]:
        """Returns d2L_t/dadw * vector by a central difference (Liu et al. 2019, equation 8)."""
        step = _STEP / max(float(torch.cat([v.flatten() for v in vector]).norm()), 1e-12)
        sides = []
        for side in (step, -step):
            with self._moved(weights, vector, side):
                sides.append(torch.autograd.grad(train_loss(), self.arch.tensors))
        return [(plus - minus) / (2 * step) for plus, minus in zip(*sides, strict=True)]

    def _exact(
        self, train_loss: Callable[[], Tensor], weights: Sequence[Tensor], vector: Sequence[Tensor]
    ) -> Sequence[Tensor]:
        """Returns d2L_t/dadw * vector by differentiating the product of gradient and vector."""
        gradients = torch.autograd.grad(train_loss(), weights, create_graph=True)
        product = sum((g * v).sum() for g, v in zip(gradients, vector, strict=True))
        return torch.autograd.grad(product, self.arch.tensors)  # type: ignore[arg-type]  # sum() may be int 0 to mypy

    @contextmanager
    def _moved(self, weights: Sequence[Tensor], direction: Sequence[Tensor], length: float) -> Iterator[None]:
        """Has the weights moved along ``direction`` and puts them back."""
        kept = [weight.detach().clone() for weight in weights]
        with torch.no_grad():
            torch._foreach_add_(list(weights), list(direction), alpha=length)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(list(weights), kept)
