"""The loop that every one-shot search runs: an architecture step, a weight step, batch by batch, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from metaopt.cells.space import Cell, CellSpace
from metaopt.errors import ConfigError
from metaopt.images import ImageData
from metaopt.oneshot.base import OneShotOptimizer, SearchSettings
from metaopt.oneshot.data import Half, check_batch_size, cutout, halves
from metaopt.oneshot.supernet import Supernet, SupernetScale
from metaopt.seeds import seed_integer, stream

_LEARNING_RATE_MIN = 0.001  # end of the cosine: Liu et al. 2019, released code
_EVAL_IMAGES = 500  # per call when nothing is trained


@dataclass(frozen=True)
class SearchEpoch:
    """What a search looks like after one epoch.

    Attributes:
        epoch: From 1.
        train_loss: Mean cross-entropy of the epoch's weight steps.
        one_shot_error: Error of the one-shot model on the architecture's half, in [0, 1].
        cell: The cell that would be picked.
        arch: State of the architecture as plain values.
    """

    epoch: int
    train_loss: float
    one_shot_error: float
    cell: Cell
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
            supernet = Supernet(space, scale, in_channels=data.in_channels, classes=data.classes)
        self.supernet = supernet.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        generator = torch.Generator().manual_seed(seed_integer(seed, "architecture"))
        self.optimizer = optimizer(space, self.supernet, settings, generator)
        self.weight_optim = torch.optim.SGD(
            self.supernet.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay
        )

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
            one_shot_error = self._one_shot_error()
            yield SearchEpoch(
                epoch + 1, train_loss, one_shot_error, self.optimizer.cell(), self.optimizer.arch_to_json()
            )

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
        for images, labels in self.weight_half.batches(size, rng):
            arch_images, arch_labels = next(arch_batches)
            train = self._augment(images, probability, rng), labels
            valid = self._augment(arch_images, probability, rng), arch_labels
            self.supernet.train()
            self.optimizer.arch_step(train, valid)
            losses.append(self._weight_step(*train))
        return float(torch.stack(losses).mean())

    def _weight_step(self, images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():  # the weights' step needs no gradient of the architecture
            mix = self.optimizer.mix()
        loss = F.cross_entropy(self.supernet(images, mix), labels)
        self.weight_optim.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), self.settings.grad_clip)
        self.weight_optim.step()
        return loss.detach()

    def _cutout_probability(self, epoch: int, total: int) -> float:
        if not self.settings.cutout:
            return 0.0
        return self.settings.cutout_prob * (epoch / (total - 1) if total > 1 else 1.0)

    def _augment(self, images: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
        if probability == 0:
            return images
        length = self.settings.cutout_length
        return cutout(images, probability, images.shape[-1] // 2 if length is None else length, rng)

    def _one_shot_error(self) -> float:
        with torch.no_grad():
            mix = self.optimizer.mix()
        if self.supernet.scale.batch_norm == "recalibrated":
            self.supernet.recalibrate(self.weight_half.images.split(_EVAL_IMAGES), mix)
        return one_shot_error(self.supernet, self.arch_half, mix)


@torch.no_grad()
def one_shot_error(supernet: Supernet, half: Half, mix: Any) -> float:
    """Returns the share of wrongly classified images of ``half`` under ``mix``, with the stored statistics."""
    supernet.eval()
    wrong = sum(
        (supernet(images, mix).argmax(1) != labels).sum().item()
        for images, labels in zip(half.images.split(_EVAL_IMAGES), half.labels.split(_EVAL_IMAGES), strict=True)
    )
    return float(wrong) / len(half.labels)
