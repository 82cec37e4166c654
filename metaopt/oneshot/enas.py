"""ENAS (Pham et al. 2018), as 1Shot1 runs it: a controller draws the cells that are trained, and learns which are good.

After every epoch of the weights the controller learns by REINFORCE (Williams 1992) from the accuracy of drawn cells.

Of 1Shot1's released code these are not copied: rewards in percent, against an entropy weight and a step size meant
for [0, 1]; the mean of log-probabilities instead of their sum for a node with several parents; operations that belong
to the node before; a fixed bias of the operations, which makes max-pooling start at 0.16; a learning rate of the
weights that is stepped per batch on a schedule counted in epochs; test images as those that cells are picked by;
command line flags of the controller that nothing reads; a baseline that starts at 0; and halves of 45,000 and 5,000
images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from metaopt.cells.space import Cell
from metaopt.oneshot.base import Batch, SearchParts
from metaopt.oneshot.controller import Controller, Draws
from metaopt.oneshot.sampled import SampledOptimizer, SampledSettings
from metaopt.oneshot.supernet.evaluator import unchanged
from metaopt.oneshot.supernet.mix import Path
from metaopt.settings.field import field


@dataclass(frozen=True, kw_only=True)
class EnasSettings(SampledSettings):
    """Settings of ENAS; defaults of 1Shot1's released code.

    Attributes:
        controller_learning_rate: Of the controller's Adam.
        controller_steps: REINFORCE steps after every epoch, one cell each.
        entropy_weight: Of the controller's entropy in nats, against an accuracy in [0, 1].
        baseline_decay: Of the moving mean of rewards.
        temperature: Divides the controller's logits.
        tanh_constant: Largest size of a logit of a parent; of an operation a fifth of it.
    """

    weight_decay: float = field(1e-4, ge=0)
    screening_images: int = field(64, ge=1)
    controller_learning_rate: float = field(3.5e-4, ge=0)
    controller_steps: int = field(300, ge=1)
    entropy_weight: float = field(1e-4, ge=0)
    baseline_decay: float = field(0.99, gt=0, le=0.9999)
    temperature: float = field(5.0, gt=0)
    tanh_constant: float = field(2.5, gt=0)


class Enas(SampledOptimizer):
    """ENAS with one cell per step of either kind."""

    Settings = EnasSettings
    settings: EnasSettings

    def __init__(self, parts: SearchParts, settings: EnasSettings) -> None:
        super().__init__(parts, settings)
        self.controller = Controller(
            parts.cell_space,
            temperature=settings.temperature,
            tanh_constant=settings.tanh_constant,
            generator=parts.generator,
        )
        self.controller_optim = torch.optim.Adam(
            self.controller.parameters(), lr=settings.controller_learning_rate, betas=(0.1, 0.999), eps=1e-3
        )
        self.baseline = MovingMean(settings.baseline_decay)

    def draw(self, count: int, rng: np.random.Generator) -> list[Cell]:
        """Returns cells drawn from the controller."""
        with torch.no_grad():
            draws: Draws = self.controller(count, rng)
        return draws.cells

    def end_epoch(self) -> None:
        """Trains the controller on the architecture's half."""
        rng, batches = self.stream("controller"), self._batches()
        with unchanged(self.parts.supernet):
            for _ in range(self.settings.controller_steps):
                self.reinforce(lambda cell: self._accuracy(cell, next(batches)), rng)
        super().end_epoch()

    def _batches(self) -> Iterator[Batch]:
        rng = self.stream("rewards")
        while True:
            yield from self.parts.evaluation.arch_half.batches(self.settings.batch_size, rng)

    @torch.no_grad()
    def _accuracy(self, cell: Cell, batch: Batch) -> float:
        """Returns the share of right answers with the batch norm statistics of the batch itself.

        The weights were trained under statistics of a batch of that size and of a single cell; stored ones belong to
        all cells trained lately, and recalibrating costs several times as much as the reward.
        """
        images, labels = batch
        self.parts.supernet.train()
        return float((self.parts.supernet(images, Path(cell)).argmax(1) == labels).float().mean())

    def reinforce(self, accuracy: Callable[[Cell], float], rng: np.random.Generator) -> None:
        """One step on a drawn cell (Pham et al. 2018, section 2.2).

        The reward holds minus the log-probability of the cell, whose expectation is the entropy, also in its gradient.
        The baseline includes the reward itself, so that there is no first step: nothing is known yet to compare with.
        """
        draws: Draws = self.controller(1, rng)
        log_prob = draws.log_prob.sum()
        reward = accuracy(draws.cells[0]) - self.settings.entropy_weight * log_prob.item()
        loss = -(reward - self.baseline.update(reward)) * log_prob
        self.controller_optim.zero_grad()
        loss.backward()
        self.controller_optim.step()

    def arch_to_json(self) -> dict[str, Any]:
        """Returns the probabilities along the controller's most probable decisions, a row per choice, to six places."""
        with torch.no_grad():
            draws = self.controller(1, None)
        parents = {node: _row(probs) for node, probs in draws.parent_probs.items()}
        output = parents.pop(self.parts.cell_space.n_nodes + 1)
        return {"ops": [_row(probs) for probs in draws.op_probs], "output": [output], "inputs": list(parents.values())}

    def state(self) -> dict[str, Any]:
        """Returns the epoch, the controller, its optimizer and the baseline."""
        learnt = {
            "controller": self.controller.state_dict(),
            "controller_optim": self.controller_optim.state_dict(),
            "baseline": [self.baseline.total, self.baseline.weight],
        }
        return {**super().state(), **deepcopy(learnt)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to them."""
        super().load_state(state)
        self.controller.load_state_dict(state["controller"])
        self.controller_optim.load_state_dict(deepcopy(state["controller_optim"]))
        self.baseline = MovingMean(self.settings.baseline_decay, *state["baseline"])


@dataclass
class MovingMean:
    """Exponential moving mean of the values so far, without a bias to 0 (Kingma and Ba 2015, section 3).

    Attributes:
        decay: Of a value's weight with every further one, in [0, 1).
        total: Weighted sum of the values.
        weight: Sum of their weights.
    """

    decay: float
    total: float = 0.0
    weight: float = 0.0

    def update(self, value: float) -> float:
        """Takes in ``value`` and returns the mean."""
        self.total = self.decay * self.total + (1 - self.decay) * value
        self.weight = self.decay * self.weight + (1 - self.decay)
        return self.total / self.weight


def _row(probs: torch.Tensor) -> list[float]:
    return [round(p, 6) for p in probs[0].tolist()]
