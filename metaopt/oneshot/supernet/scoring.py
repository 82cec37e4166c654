"""Scores of single cells by a trained supernet, done right and with the defects of published evaluations.

What a supernet says of a cell depends on the batch norm statistics that it is evaluated with, and on whether the cell
is evaluated at all, and not something like it. 1Shot1's released correlation study differs in three such points, which
are made again here on demand: the statistics of the last training batch, an edge that is lost, and operations that are
mixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from metaopt.cells.graph import OPS
from metaopt.cells.space import Cell
from metaopt.oneshot.supernet.data import Half
from metaopt.oneshot.supernet.evaluator import unchanged
from metaopt.oneshot.supernet.mix import MIXED_OPS, Mix, Path
from metaopt.oneshot.supernet.supernet import Supernet

#: Batch norm statistics of an evaluation. ``published``, ``running`` and ``pytorch`` are what training has stored, see
#: :data:`MOMENTUM`; ``recalibrated``: of the images that the weights are trained on, under the cell that is evaluated;
#: ``batch``: of the very images that are evaluated, see :meth:`~metaopt.oneshot.supernet.data.Half.pieces`.
Statistics = Literal["published", "running", "pytorch", "recalibrated", "batch"]
STATISTICS: tuple[Statistics, ...] = get_args(Statistics)

#: Weight of a new batch in the stored statistics. The published code passes TensorFlow's decay, 0.997, where PyTorch
#: wants one minus that; PyTorch's own default is a mean over about ten steps, for searches of few steps.
MOMENTUM = {"published": 0.997, "running": 0.003, "pytorch": 0.1}


def store_statistics(supernet: Supernet, statistics: Statistics) -> None:
    """Makes the training that follows store ``statistics``; it changes nothing else in a training.

    The last norm, in front of the head, keeps PyTorch's default, as in the published code. Where single paths are
    trained, a norm stores its statistics of the last steps that it had a part in; the published code computes all
    operations of every step, on the way of the sampled path, and multiplies them by 0.
    """
    for norm in _norms(supernet):
        if norm is not supernet.squeeze_bn:
            norm.momentum = MOMENTUM.get(statistics, MOMENTUM["running"])


def _norms(supernet: Supernet) -> list[nn.BatchNorm2d]:
    return [module for module in supernet.modules() if isinstance(module, nn.BatchNorm2d)]


@dataclass(frozen=True)
class Subject:
    """What is evaluated in the place of a cell; equal ones have equal scores.

    Attributes:
        cell: Dead nodes have no parents and the first operation.
        mean: Whether nodes with a choice average their parents, as they learn to in the supernets of gradient-based
            optimizers, and not sum them.
        soft_ops: Whether each block's one-hot choice goes through a softmax, so that the operation counts
            e / (e + 2) = 0.576 and each of the others 0.212.
    """

    cell: Cell
    mean: bool
    soft_ops: bool = False

    @classmethod
    def of(cls, cell: Cell, *, mean: bool, lost_edge: bool = False, soft_ops: bool = False) -> Subject:
        """Returns what is evaluated for ``cell``.

        Args:
            cell: The cell that is meant.
            mean: See :attr:`mean`.
            lost_edge: Whether the edge from the last choice block to the output is left out, as in the released
                correlation study on cell spaces 1 and 2, which removes two rows of a matrix instead of a row and a
                column.
            soft_ops: See :attr:`soft_ops`.
        """
        n = len(cell.ops)
        output = tuple(node for node in cell.parents[-1] if not (lost_edge and node == n))
        live = Path(Cell((*cell.parents[:-1], output), cell.ops)).live
        parents = tuple(cell.parents[j - 1] if j in live else () for j in range(1, n + 1))
        ops = tuple(cell.ops[j - 1] if j in live else OPS[0] for j in range(1, n + 1))
        return cls(Cell((*parents, output), ops), mean, soft_ops)

    def mix(self, device: torch.device) -> Mix | Path:
        """Returns what the supernet is to run under."""
        if not self.soft_ops:
            return Path(self.cell, self.mean)
        *inputs, output = (self._weights(j, device) for j in range(1, len(self.cell.parents) + 1))
        chosen = torch.tensor([MIXED_OPS.index(op) for op in self.cell.ops], device=device)
        one_hot = F.one_hot(chosen, len(MIXED_OPS)).float()
        return Mix(torch.softmax(one_hot, dim=1), output, tuple(inputs))

    def _weights(self, node: int, device: torch.device) -> Tensor:
        parents = self.cell.parents[node - 1]
        averaged = self.mean and len(parents) < node
        weights = torch.zeros(node, device=device)
        weights[list(parents)] = 1 / len(parents) if averaged and parents else 1.0
        return weights


def score_cells(
    supernet: Supernet, reference: Half, evaluated: Half, subjects: Sequence[Subject], statistics: Statistics
) -> NDArray[np.float32]:
    """Scores cells by a trained supernet, which is left as it was.

    Args:
        supernet: Trained so that it stores ``statistics``, if these are stored.
        reference: Images that ``recalibrated`` statistics are of.
        evaluated: What errors are measured on.
        subjects: K cells, as they are evaluated; equal ones cost one evaluation.
        statistics: Of the batch norms.

    Returns:
        (K, 2): share of wrongly classified images, and mean cross-entropy, infinite where it is no number.
    """
    scores: dict[Subject, tuple[float, float]] = {}
    with torch.no_grad(), unchanged(supernet):
        for subject in dict.fromkeys(subjects):
            mix = subject.mix(evaluated.labels.device)
            if statistics == "recalibrated":
                supernet.recalibrate((images for images, _ in reference.pieces()), mix)
            supernet.train(statistics == "batch")
            logits = torch.cat([supernet(images, mix) for images, _ in evaluated.pieces()])
            wrong = (logits.argmax(1) != evaluated.labels).float().mean()
            loss = float(F.cross_entropy(logits, evaluated.labels))
            scores[subject] = float(wrong), math.inf if math.isnan(loss) else loss
    return np.array([scores[subject] for subject in subjects], np.float32).reshape(-1, 2)
