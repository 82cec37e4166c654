"""The loop that every one-shot search runs: an architecture step, a weight step, batch by batch, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from metaopt.cells.space import Cell, CellSpace
from metaopt.core.errors import ConfigError
from metaopt.core.seeds import seed_integer, stream
from metaopt.images import ImageData
from metaopt.oneshot.base import Batch, OneShotOptimizer, SearchParts
from metaopt.oneshot.settings import SearchSettings
from metaopt.oneshot.state import SearchState, Trained
from metaopt.oneshot.stopping.monitor import CurvatureMonitor, Return
from metaopt.oneshot.supernet.data import check_batch_size, cutout, halves, shift_and_flip
from metaopt.oneshot.supernet.evaluator import SupernetEvaluator
from metaopt.oneshot.supernet.supernet import Supernet, SupernetScale

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
        eigenvalue: Dominant one of the validation loss's Hessian over the architecture; None where it is not measured.
        validation_passes: Passes over the architecture's half for the selection of the final cell; more than 0 as soon
            as choices are closed.
        skipped: Better-ranked cells skipped, since they may not be picked.
        note: What happened after the epoch's training that its figures alone do not say; empty: nothing.
    """

    epoch: int
    train_loss: float
    one_shot_error: float
    cell: Cell | None
    arch: dict[str, Any]
    eigenvalue: float | None = None
    validation_passes: int = 0
    skipped: int = 0
    note: str = ""


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
            f"device {name!r} is not there; on this machine: auto, {', '.join(there)}", "set {--device} to auto"
        )
    return torch.device(name)


class Search:
    """One one-shot search; iterate over :meth:`epochs` to run it.

    Args:
        optimizer: The class of the one-shot optimizer.
        cell_space: The cell space.
        data: Only its training images are used.
        scale: Size of the supernet.
        settings: Of type ``optimizer.Settings``.
        seed: Of everything random in the search.
        device: Where it runs.
        known: Which cells may be picked; None: every one.

    Raises:
        ConfigError: if the batch size does not fit the data.
    """

    def __init__(
        self,
        optimizer: type[OneShotOptimizer],
        cell_space: CellSpace,
        data: ImageData,
        *,
        scale: SupernetScale,
        settings: SearchSettings,
        seed: int,
        device: torch.device,
        known: Callable[[Cell], bool] | None = None,
    ) -> None:
        self.settings, self.seed, self.augmentation = settings, seed, data.augmentation
        self.weight_half, self.arch_half = halves(data, seed, device)
        check_batch_size(settings.batch_size, self.weight_half)  # the smaller one of an odd number of images
        with torch.random.fork_rng(devices=[]):  # PyTorch's layers draw their weights from its global generator
            torch.manual_seed(seed_integer(seed, "weights"))
            block = optimizer.block(settings)
            supernet = Supernet(cell_space, scale, in_channels=data.in_channels, classes=data.classes, block=block)
        self.supernet = supernet.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch documents it, its types do not
        self.supernet.drop_path_generator.manual_seed(seed_integer(seed, "drop path"))
        self.weight_optim = torch.optim.SGD(
            self.supernet.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay
        )
        self.evaluation = SupernetEvaluator(self.supernet, self.weight_half, self.arch_half)
        generator = torch.Generator().manual_seed(seed_integer(seed, "architecture"))
        parts = SearchParts(cell_space, self.supernet, self.weight_optim, self.evaluation, generator, known)
        self.optimizer = optimizer(parts, settings)

    def epochs(self, total: int, *, picks: bool = True) -> Iterator[SearchEpoch]:
        """Runs the search from its beginning and yields after every epoch that it trains.

        These are ``total``, unless the settings stop it early, have it go back, or decide the final cell by training
        on; in the order they are trained, none is left out. The last one has the cell that was found.

        Args:
            total: Epochs; the cosine of the learning rate and the ramp of cutout span them.
            picks: False where nobody asks for a cell, which some optimizers take long to find.

        Raises:
            SearchDivergedError: if the loss, the weights, the architecture or the eigenvalue is not finite.
        """
        state = self.begin(total)
        yield from self.training(state, picks=picks)
        yield from self.selection(state, picks=picks)

    def begin(self, total: int, saved: Mapping[str, Any] | None = None) -> SearchState:
        """Returns the state in which a search of ``total`` epochs starts.

        Args:
            total: Epochs of the schedules.
            saved: State that a search of the same arguments has saved, to resume from; None: the beginning.
        """
        state = SearchState(self.supernet, self.weight_optim, self.optimizer, total, self.optimizer.monitor(total))
        if saved is not None:
            state.restore(saved)
        return state

    def training(self, state: SearchState, *, picks: bool = True) -> Iterator[SearchEpoch]:
        """Trains to the end of the schedules; yields every epoch but the last one, as :meth:`epochs` does.

        Between two epochs, and at the end, ``state`` can be saved, and restored in a new search of the same arguments.
        """
        while not state.over:
            back = self._advance(state)
            epoch = None if state.over else self._look(state.trained, _last_of(state), state.total, picks)
            if back is not None:  # only now, since the epoch is to show what made the search go back
                state.go_back(back)
            if epoch is not None:
                yield epoch

    def selection(self, state: SearchState, *, picks: bool = True) -> Iterator[SearchEpoch]:
        """Decides the final cell; yields the last epoch of :meth:`training`, and those that are trained on for it."""
        decided = self._decisions(_last_of(state), state.total)
        for number, (trained, is_last) in enumerate(decided, start=state.trained):
            yield self._look(number, trained, state.total, picks, is_last=is_last)

    def _look(self, number: int, trained: Trained, total: int, picks: bool, *, is_last: bool = False) -> SearchEpoch:
        """Returns what the search is like after the training of its ``number``-th epoch."""
        every = self.settings.cell_every
        due = is_last or (every > 0 and number % every == 0)
        cell = self.optimizer.cell() if picks and due else None
        one_shot_error = self.evaluation.error(self.optimizer.eval_mix())
        arch, validation_passes = self.optimizer.arch_to_json(), self.optimizer.validation_passes
        if not _is_finite(arch):  # what is drawn from it, or is its largest entry, would still be a legal cell
            raise SearchDivergedError(f"the architecture is not a number any more after epoch {number} of {total}")
        skipped = 0 if cell is None else self.optimizer.skipped
        eigenvalue, note = trained.eigenvalue, trained.note
        return SearchEpoch(
            number, trained.loss, one_shot_error, cell, arch, eigenvalue, validation_passes, skipped, note
        )

    def _advance(self, state: SearchState) -> Return | None:
        """Trains the next epoch; returns where the search has to go back to from it, if it has to."""
        epoch, monitor = state.epoch, state.monitor
        trained = self._train_epoch(epoch, state.total, monitor)
        state.trained += 1
        state.numbers[epoch] = state.trained
        back = monitor.update(epoch, trained.eigenvalue, state.copy_model) if monitor else None
        state.over = epoch + 1 == state.total if back is None else back.weight_decay is None
        if back is not None:
            trained = replace(trained, note=f"{back.reason}, went back to epoch {state.numbers[back.epoch]}")
            if state.over:  # what is shown then is the state gone back to, whose eigenvalue it is not
                trained = replace(trained, eigenvalue=None)
        state.epoch = (epoch if back is None else back.epoch) + 1
        state.last = trained
        return back

    def _decisions(self, trained: Trained, total: int) -> Iterator[tuple[Trained, bool]]:
        """Decides the final cell after the training of the last epoch; yields every epoch, and whether it is done."""
        further = total
        for step, epochs in enumerate(self.optimizer.select()):
            if step == 0:
                notes = (trained.note, "selection of the final cell begins")
                trained = replace(trained, note="; ".join(filter(None, notes)))
            for _ in range(epochs):
                yield trained, False
                trained = self._train_epoch(further, total)
                further += 1
        yield trained, True

    def identity(self, total: int) -> dict[str, Any]:
        """Returns what a search of ``total`` epochs depends on, as plain JSON values; for the images, their figures."""
        optimizer, half = type(self.optimizer), self.weight_half
        return {
            "optimizer": f"{optimizer.__module__}:{optimizer.__qualname__}",
            "settings": self.settings.identity(),
            "seed": self.seed,
            "epochs": total,
            "cell_space": self.optimizer.parts.cell_space.name,
            "scale": asdict(self.supernet.scale),
            "images": [list(half.levels.shape), half.mean.flatten().tolist(), half.deviation.flatten().tolist()],
            "augmentation": asdict(self.augmentation),
        }

    def _learning_rate(self, epoch: int, total: int) -> float:
        """Returns that of a cosine; after its end a tenth of where it began, for the selection of the final cell."""
        high = self.settings.learning_rate
        if epoch >= total:
            return high / 10  # Wang et al. 2021, released code
        low = min(_LEARNING_RATE_MIN, high)
        return low + (high - low) * (1 + math.cos(math.pi * epoch / total)) / 2

    def _train_epoch(self, epoch: int, total: int, monitor: CurvatureMonitor | None = None) -> Trained:
        """Trains one epoch, at the end of every schedule if ``epoch`` is ``total`` or more."""
        for group in self.weight_optim.param_groups:
            group["lr"] = self._learning_rate(epoch, total)
        self.optimizer.elapsed = min(1.0, epoch / total)
        self.supernet.drop_path_prob = self.settings.drop_path_prob * _ramp(epoch, total)
        losses = []
        for train, valid in self._batches(epoch, total):
            self.supernet.train()
            self.optimizer.arch_step(train, valid)
            losses.append(self._weight_step(*train))
        self.supernet.drop_path_prob = 0.0
        self.optimizer.elapsed = min(1.0, (epoch + 1) / total)
        self.optimizer.end_epoch()
        loss = float(torch.stack(losses).mean())
        self._check_finite("training loss", loss, epoch, total)
        norms = torch._foreach_norm(
            [weight.detach() for weight in self.supernet.parameters()]
        )  # the last step has no loss after it
        self._check_finite("norm of the weights", float(torch.stack(norms).norm()), epoch, total)
        eigenvalue = monitor.measure(epoch, valid) if monitor else None
        if eigenvalue is not None:
            self._check_finite("dominant eigenvalue", eigenvalue, epoch, total)
        return Trained(loss, eigenvalue)

    def _check_finite(self, what: str, value: float, epoch: int, total: int) -> None:
        if not math.isfinite(value):
            raise SearchDivergedError(f"the {what} is {value} in epoch {epoch + 1} of {total}")

    def _batches(self, epoch: int, total: int) -> Iterator[tuple[Batch, Batch]]:
        """Yields a batch of either half at a time, changed at random."""
        size, probability = self.settings.batch_size, self._cutout_probability(epoch, total)
        rng = stream(self.seed, "batches", epoch)
        arch_batches = self.arch_half.batches(size, rng)
        for images, labels in self.weight_half.batches(size, rng):
            arch_images, arch_labels = next(arch_batches)
            train = self._augment(images, probability, rng), labels
            yield train, (self._augment(arch_images, probability, rng), arch_labels)

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
        images = shift_and_flip(images, self.augmentation, rng)
        if probability == 0:
            return images
        length = self.settings.cutout_length
        return cutout(images, probability, images.shape[-1] // 2 if length is None else length, rng)


def _last_of(state: SearchState) -> Trained:
    if state.last is None:
        raise ValueError("a search has nothing to show before its first epoch is trained")
    return state.last


def _is_finite(tree: Any) -> bool:
    """Returns whether all numbers in nested mappings and lists are finite."""
    if isinstance(tree, float):
        return math.isfinite(tree)
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return all(map(_is_finite, parts))


def _ramp(epoch: int, total: int) -> float:
    """Returns what rises from 0 in the first epoch to 1 in the last, and stays there."""
    return min(1.0, epoch / (total - 1)) if total > 1 else 1.0
