"""A graph isomorphism network (Xu et al. 2019) over the vertices of a cell, as in NAS-Bench-301 (Zela et al. 2022).

Cells are batched densely: (B, P, P) padded adjacency. Every layer adds to a vertex what its parents, its children and
one virtual vertex that sees the whole cell say, each by weights of its own, so that the direction of edges counts.

Loss: mean absolute error of the standardised logarithm of the error, plus a hinge loss on the order of pairs of cells.

Notation: B cells of a batch, P places, H hidden features, L layers, T targets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from metaopt.core.arrays import Floats
from metaopt.core.paths import replacing
from metaopt.core.seeds import seed_integer, stream
from metaopt.surrogates.base import Surrogate, extra
from metaopt.surrogates.encoding import LABELS, POSITIONS, Cells

_CHUNK = 4096  # cells that are predicted at once
_WEIGHTS = "network.safetensors"
_CHECKS = 10  # times that the other cells are predicted in the last half of a training


class _Layer(nn.Module):
    """One round of messages and the update of the vertices."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.epsilon = nn.Parameter(torch.zeros(()))
        self.down, self.up = nn.Linear(hidden, hidden, bias=False), nn.Linear(hidden, hidden, bias=False)
        self.update = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, hidden))
        self.virtual = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU())
        self.norm, self.dropout = nn.LayerNorm(hidden), nn.Dropout(dropout)

    def forward(self, x: Tensor, whole: Tensor, edges: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Takes and returns vertices (B, P, H) and virtual vertices (B, 1, H); edges (B, P, P), mask (B, P, 1)."""
        x = x + whole
        heard = (1 + self.epsilon) * x + edges.transpose(1, 2) @ self.down(x) + edges @ self.up(x)
        x = (x + self.dropout(self.update(self.norm(heard)))) * mask
        return x, whole + self.virtual(x.sum(dim=1, keepdim=True) / POSITIONS)


class _Network(nn.Module):
    def __init__(self, hidden: int, layers: int, dropout: float, targets: int) -> None:
        super().__init__()
        # A vertex is told by its label and, as in NAS-Bench-301, by the number of its edges in and out.
        self.embed = nn.Linear(len(LABELS) - 1 + 2 * POSITIONS, hidden)
        self.whole = nn.Parameter(torch.zeros(hidden))
        self.layers = nn.ModuleList(_Layer(hidden, dropout) for _ in range(layers))
        self.head = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, targets))

    def forward(self, labels: Tensor, adjacency: Tensor) -> Tensor:
        """Returns (B, T) standardised values of cells with labels (B, P) and edges (B, P, P)."""
        degrees = [nn.functional.one_hot(adjacency.long().sum(dim=d), POSITIONS) for d in (1, 2)]
        one_hot = nn.functional.one_hot(labels, len(LABELS))[..., :-1]
        mask = one_hot.sum(dim=-1, keepdim=True).float()
        x = self.embed(torch.cat([one_hot, *degrees], dim=-1).float()) * mask
        whole, edges = self.whole.expand(len(x), 1, -1), adjacency.float()
        for layer in self.layers:
            x, whole = layer(x, whole, edges, mask)
        mean = x.sum(dim=1) / mask.sum(dim=1)
        out: Tensor = self.head(torch.cat([mean, whole[:, 0]], dim=-1))
        return out


class GraphIsomorphismNetwork(Surrogate):
    """Messages along the edges of a cell; the space ``surrogate_gin`` explains the hyperparameters."""

    name: ClassVar[str] = "gin"
    package: ClassVar[str] = "safetensors"
    epochs: ClassVar[int] = 128  # NAS-Bench-301
    min_epochs: ClassVar[int] = 16

    _network: _Network
    _center: Tensor  # (T,) of the values that the network was trained with
    _scale: Tensor

    def _fit(self, data: tuple[Cells, Floats], stop: tuple[Cells, Floats], epochs: int) -> None:
        self._center = torch.tensor(data[1].mean(axis=0))
        self._scale = torch.tensor(np.maximum(data[1].std(axis=0), 1e-6))
        with self._torch():
            self._network = self._build()
            self._train(data, stop, epochs)

    def _train(self, data: tuple[Cells, Floats], stop: tuple[Cells, Floats], epochs: int) -> None:
        inputs = _tensors(data[0])
        values = ((torch.tensor(data[1]) - self._center) / self._scale).float()
        batch = min(self.config["batch_size"], len(values))
        steps = epochs * (len(values) // batch)
        optim = torch.optim.AdamW(
            self._network.parameters(),
            lr=self.config["learning_rate"],
            weight_decay=self.config["weight_decay"],
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optim, lambda step: _rate(step / steps))
        best = (math.inf, self._network.state_dict())
        for epoch in range(epochs):
            self._network.train()
            order = torch.from_numpy(stream(self.seed, epoch, "surrogate batches").permutation(len(values)))
            for chosen in order[: len(values) // batch * batch].split(batch):
                optim.zero_grad()
                self._loss(self._network(*(part[chosen] for part in inputs)), values[chosen]).backward()
                nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
                optim.step()
                schedule.step()
            if _is_checked(epoch, epochs):
                error = float(np.abs(self._predict(stop[0]) - stop[1]).mean())
                if error < best[0]:
                    best = error, {name: part.clone() for name, part in self._network.state_dict().items()}
        self._network.load_state_dict(best[1])

    def _loss(self, predicted: Tensor, values: Tensor) -> Tensor:
        """L1, and a hinge on the order of every cell and its successor in the batch."""
        absolute = (predicted - values).abs().mean()
        apart = (values - values.roll(1, dims=0)).sign() * (predicted - predicted.roll(1, dims=0))
        hinge = nn.functional.relu(self.config["ranking_margin"] - apart).mean()
        weight: float = self.config["ranking_weight"]
        return absolute + weight * hinge

    def _predict(self, cells: Cells) -> Floats:
        with self._torch(), torch.no_grad():
            self._network.eval()
            labels, adjacency = _tensors(cells)
            parts = [self._network(*pair) for pair in zip(labels.split(_CHUNK), adjacency.split(_CHUNK), strict=True)]
            values: Floats = (torch.cat(parts).double() * self._scale + self._center).numpy()
        return values

    def _build(self) -> _Network:
        return _Network(self.config["hidden"], self.config["layers"], self.config["dropout"], len(self._center))

    @contextmanager
    def _torch(self) -> Iterator[None]:
        """Gives torch a seed and a number of threads of its own, and gives the caller's back."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed_integer(self.seed, "surrogate network"))
                yield
        finally:
            torch.set_num_threads(threads)

    def _save(self, folder: Path) -> None:
        tensors = {**self._network.state_dict(), "center": self._center, "scale": self._scale}
        with replacing(folder / _WEIGHTS) as partial:
            extra("safetensors.torch").save_file({name: part.contiguous() for name, part in tensors.items()}, partial)

    def _load(self, folder: Path) -> None:
        tensors: dict[str, Any] = extra("safetensors.torch").load_file(folder / _WEIGHTS)
        self._center, self._scale = tensors.pop("center"), tensors.pop("scale")
        self._network = self._build()
        self._network.load_state_dict(tensors)


def _tensors(cells: Cells) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(cells.labels), torch.from_numpy(cells.adjacency)


def _rate(done: float) -> float:
    """Returns the share of the learning rate after a share of the training: a short rise, then a cosine to 0."""
    rise = 0.05
    return done / rise if done < rise else 0.5 * (1 + math.cos(math.pi * (done - rise) / (1 - rise)))


def _is_checked(epoch: int, epochs: int) -> bool:
    """Returns whether to predict the other cells after an epoch, from 0: at times in the last half, and at the end."""
    left = epochs - 1 - epoch
    return left < epochs // 2 + 1 and left % max(1, epochs // 2 // _CHECKS) == 0
