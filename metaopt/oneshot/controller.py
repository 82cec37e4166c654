"""The controller of ENAS (Pham et al. 2018, section 2): an LSTM that draws a cell decision by decision.

Node by node it attends over the nodes so far to draw the parents, then draws the operation; what it drew is its next
input. Sizes and constants are those of NAS-Bench-1Shot1's released ``enas`` code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.supernet.mix import MIXED_OPS

_HIDDEN = 64
_INIT = 0.1  # all weights are drawn from U(-0.1, 0.1)
_OP_TANH_REDUCE = 5.0  # the tanh constant of operations is smaller than that of parents by this factor


@dataclass(frozen=True)
class Draws:
    """Cells that the controller drew side by side, and the distributions that it drew them from.

    Attributes:
        cells: One per draw.
        log_prob: (draws,), natural logarithm of the probability of all decisions of a cell together.
        op_probs: For every choice block, (draws, 3), columns as :data:`metaopt.oneshot.supernet.mix.MIXED_OPS`.
        parent_probs: For every node with a choice of parents, by its number j: (draws, j), of the parent drawn first.
    """

    cells: list[Cell]
    log_prob: Tensor
    op_probs: list[Tensor]
    parent_probs: dict[int, Tensor]


def draw_without_replacement(logits: Tensor, size: int, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
    """Draws ``size`` distinct columns per row, one after another, each from the softmax of those that are left.

    The largest perturbed logits in descending order are such a sequence (Gumbel top-k; Kool, van
    Hoof and Welling 2019). Its probability is that of Plackett and Luce: the product over the draws.

    Args:
        logits: (rows, columns).
        size: Up to the number of columns.
        rng: The source of the draws; None: the most probable column each time.

    Returns:
        The columns in the order drawn, (rows, size), and the log-probability of that sequence, (rows,).
    """
    keys = logits.detach()
    if rng is not None:
        keys = keys + torch.from_numpy(rng.gumbel(size=tuple(keys.shape))).to(keys)
    order = keys.argsort(dim=1, descending=True, stable=True)
    ordered = logits.gather(1, order)
    left = ordered.flip(1).logcumsumexp(1).flip(1)
    return order[:, :size], (ordered - left)[:, :size].sum(1)


class Controller(nn.Module):
    """Draws cells of a space; differs from a table of logits in that later decisions depend on earlier ones.

    Args:
        cell_space: The cell space.
        temperature: Logits are divided by it.
        tanh_constant: Largest size of a logit of a parent; of an operation a fifth of it, so that at the published 2.5
            no operation becomes more probable than 0.58.
        generator: Draws the weights.
    """

    def __init__(
        self, cell_space: CellSpace, *, temperature: float, tanh_constant: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.cell_space, self.temperature, self.tanh_constant = cell_space, temperature, tanh_constant
        with torch.device("meta"):  # layers draw their weights from the global generator; these do not
            self.lstm = nn.LSTMCell(_HIDDEN, _HIDDEN)
            self.start = nn.Parameter(torch.empty(1, _HIDDEN))
            self.embed_op = nn.Embedding(len(MIXED_OPS), _HIDDEN)
            self.op_logits = nn.Linear(_HIDDEN, len(MIXED_OPS), bias=False)
            self.query = nn.Linear(_HIDDEN, _HIDDEN, bias=False)
            self.key = nn.Linear(_HIDDEN, _HIDDEN, bias=False)
            self.attention = nn.Linear(_HIDDEN, 1, bias=False)
        self.to_empty(device="cpu")
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -_INIT, _INIT, generator=generator)

    def forward(self, count: int, rng: np.random.Generator | None) -> Draws:
        """Draws ``count`` cells, each on its own; with ``rng`` None the most probable decision each time."""
        state = torch.zeros(count, _HIDDEN), torch.zeros(count, _HIDDEN)
        anchors = torch.zeros(count, 1, _HIDDEN)  # what the controller knows of each node; of the cell's input nothing
        log_prob = torch.zeros(count)
        wiring, ops, op_probs, parent_probs = [], [], [], {}
        for node, choices in enumerate(self.cell_space.parent_choices, start=1):
            if len(choices) > 1:
                state = self.lstm(self.start.expand(count, -1), state)
                logits = self._parent_logits(state[0], anchors)
                parents, log_p = draw_without_replacement(logits, len(choices[0]), rng)
                log_prob, parent_probs[node] = log_prob + log_p, logits.softmax(1)
            else:
                parents = torch.tensor(choices).expand(count, -1)
            wiring.append(parents.sort(dim=1).values.tolist())
            if node > self.cell_space.n_nodes:
                break
            drawn = anchors.gather(1, parents[:, :, None].expand(-1, -1, _HIDDEN))
            state = self.lstm(drawn.mean(1), state)  # a mean, as the order of the parents means nothing
            logits = self._squash(self.op_logits(state[0]), self.tanh_constant / _OP_TANH_REDUCE)
            op, log_p = draw_without_replacement(logits, 1, rng)
            log_prob = log_prob + log_p
            op_probs.append(logits.softmax(1))
            ops.append(op[:, 0].tolist())
            state = self.lstm(self.embed_op(op[:, 0]), state)
            anchors = torch.cat([anchors, state[0][:, None]], dim=1)
        return Draws(_cells(wiring, ops), log_prob, op_probs, parent_probs)

    def _parent_logits(self, hidden: Tensor, anchors: Tensor) -> Tensor:
        attended = torch.tanh(self.key(anchors) + self.query(hidden)[:, None])
        return self._squash(self.attention(attended)[:, :, 0], self.tanh_constant)

    def _squash(self, logits: Tensor, constant: float) -> Tensor:
        return constant * torch.tanh(logits / self.temperature)


def _cells(wiring: list[list[list[int]]], ops: list[list[int]]) -> list[Cell]:
    """Turns decisions node by node into cells draw by draw."""
    return [
        Cell(tuple(map(tuple, parents)), tuple(MIXED_OPS[k] for k in chosen))
        for parents, chosen in zip(zip(*wiring, strict=True), zip(*ops, strict=True), strict=True)
    ]
