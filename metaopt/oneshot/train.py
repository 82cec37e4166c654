"""The loop that every one-shot search runs: an architecture step, a weight step, batch by batch, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import Cell, CellSpace
from metaopt.errors import ConfigError
from metaopt.images import ImageData
from metaopt.oneshot.base import OneShotOptimizer, SearchParts
from metaopt.oneshot.data import check_batch_size, cutout, halves
from metaopt.oneshot.evaluation import Evaluation
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.supernet import Supernet, SupernetScale
from metaopt.seeds import seed_integer, stream

_LEARNING_RATE_MIN = 0.001  # end of the cosine: Liu et al. 2019, released code


@dataclass(frozen=True)
class SearchEpoch:
    """What a search looks like after one epoch.

    Attributes:
        epoch: From 1.
        train_loss: Mean cross-entropy of the epoch's weight steps.
        one_shot_error: Error of the one-shot model on the architecture's half, in [0, 1].
        cell: The cell that would be picked; None where the settings' ``cell_every`` says that none is.
        arch: State of the architecture as plain values.
    """

    epoch: int
    train_loss: float
    one_shot_error: float
    cell: Cell | None
    arch: dict[str, Any]


class SearchDivergedError(ArithmeticError):
    """The loss of a search is not a number any more."""


def choose_device(name: str) -> torch.device:
    """Returns the device: ``auto`` is ``cuda`` where there is one, else ``cpu``.

    Raises:
        ConfigError: if it is not a name of a device, or if this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    there = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    there += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if name not in there:
        raise ConfigError(
            f"device {name!r} is not there; on this machine: auto, {', '.join(there)}", "use --device auto"
        )
    return torch.device(name)


class Search:
    """One one-shot search; iterate over :meth:`epochs` to run it.

    Args:
        optimizer: The class of the one-shot optimizer.
        space: The cell space.
        data: Only its training images are used.
        scale: Size of the supernet.
        settings: Of type ``optimizer.Settings``.
        seed: Of everything random in the search.
        device: Where it runs.

    Raises:
        ConfigError: if the batch size does not fit the data.
    """

    def __init__(
        self,
        optimizer: type[OneShotOptimizer],
        space: CellSpace,
        data: ImageData,
        *,
        scale: SupernetScale,
        settings: SearchSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.seed = settings, seed
        self.weight_half, self.arch_half = halves(data.train, seed, device)
        check_batch_size(settings.batch_size, self.arch_half)
        with torch.random.fork_rng(devices=[]):  # PyTorch's layers draw their weights from its global generator
            torch.manual_seed(seed_integer(seed, "weights"))
            block = optimizer.block(settings)
            supernet = Supernet(space, scale, in_channels=data.in_channels, classes=data.classes, block=block)
        self.supernet = supernet.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.supernet.drop_path_generator.manual_seed(seed_integer(seed, "drop path"))
        self.weight_optim = torch.optim.SGD(
            self.supernet.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay
        )
        self.evaluation = Evaluation(self.supernet, self.weight_half, self.arch_half)
        generator = torch.Generator().manual_seed(seed_integer(seed, "architecture"))
        parts = SearchParts(space, self.supernet, self.weight_optim, self.evaluation, generator)
        self.optimizer = optimizer(parts, settings)

    def epochs(self, total: int) -> Iterator[SearchEpoch]:
        """Runs the search and yields after every epoch.

        Args:
            total: Epochs; the cosine of the learning rate and the ramp of cutout span them.

        Raises:
            SearchDivergedError: if the loss is not finite.
        """
        for epoch in range(total):
            self._set_learning_rate(epoch, total)
            train_loss = self._train_epoch(epoch, total)
            if not math.isfinite(train_loss):
                raise SearchDivergedError(f"the training loss is {train_loss} in epoch {epoch + 1} of {total}")
            cell = self.optimizer.cell() if self._picks(epoch + 1, total) else None
            one_shot_error = self.evaluation.error(self.optimizer.eval_mix())
            yield SearchEpoch(epoch + 1, train_loss, one_shot_error, cell, self.optimizer.arch_to_json())

    def _picks(self, done: int, total: int) -> bool:
        every = self.settings.cell_every
        return done == total or (every > 0 and done % every == 0)

    def state(self) -> dict[str, Any]:
        """Returns a copy of all that changes in a search; random streams of the loop are named by the epoch."""
        parts = {"supernet": self.supernet.state_dict(), "weight_optim": self.weight_optim.state_dict()}
        drop_path = self.supernet.drop_path_generator.get_state()
        return {**deepcopy(parts), "drop_path": drop_path, "optimizer": self.optimizer.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes back to what :meth:`state` returned."""
        self.supernet.load_state_dict(state["supernet"])
        self.weight_optim.load_state_dict(deepcopy(state["weight_optim"]))
        self.supernet.drop_path_generator.set_state(state["drop_path"])
        self.optimizer.load_state(state["optimizer"])

    def _set_learning_rate(self, epoch: int, total: int) -> None:
        high = self.settings.learning_rate
        for group in self.weight_optim.param_groups:
            group["lr"] = _LEARNING_RATE_MIN + (high - _LEARNING_RATE_MIN) * (1 + math.cos(math.pi * epoch / total)) / 2

    def _train_epoch(self, epoch: int, total: int) -> float:
        size = self.settings.batch_size
        rng = stream(self.seed, "batches", epoch)
        probability = self._cutout_probability(epoch, total)
        arch_batches = self.arch_half.batches(size, rng)
        losses = []
        self.optimizer.elapsed = epoch / total
        self.supernet.drop_path_prob = self.settings.drop_path_prob * _ramp(epoch, total)
        for images, labels in self.weight_half.batches(size, rng):
            arch_images, arch_labels = next(arch_batches)
            train = self._augment(images, probability, rng), labels
            valid = self._augment(arch_images, probability, rng), arch_labels
            self.supernet.train()
            self.optimizer.arch_step(train, valid)
            losses.append(self._weight_step(*train))
        self.supernet.drop_path_prob = 0.0
        self.optimizer.elapsed = (epoch + 1) / total
        self.optimizer.end_epoch()
        return float(torch.stack(losses).mean())

    def _weight_step(self, images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():  # the weights' step needs no gradient of the architecture
            mix = self.optimizer.weight_mix()
        loss = F.cross_entropy(self.supernet(images, mix), labels)
        self.weight_optim.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), self.settings.grad_clip)
        self.weight_optim.step()
        return loss.detach()

    def _cutout_probability(self, epoch: int, total: int) -> float:
        if not self.settings.cutout:
            return 0.0
        return self.settings.cutout_prob * _ramp(epoch, total)

    def _augment(self, images: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
        if probability == 0:
            return images
        length = self.settings.cutout_length
        return cutout(images, probability, images.shape[-1] // 2 if length is None else length, rng)


def _ramp(epoch: int, total: int) -> float:
    """Returns what rises from 0 in the first epoch to 1 in the last."""
    return epoch / (total - 1) if total > 1 else 1.0
