"""The loop that every one-shot search runs: an architecture step, a weight step, batch by batch, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
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
from metaopt.oneshot.state import Course, Trained
from metaopt.oneshot.stopping.guard import Guard, Return
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
        sweeps: How many times the selection of the final cell has evaluated all images of the architecture's half; more
            than 0 as soon as choices are closed.
        detour: How many cells the optimizer would have preferred to ``cell``, which may not be picked.
        note: What happened after the epoch's training that its figures alone do not say; empty: nothing.
    """

    epoch: int
    train_loss: float
    one_shot_error: float
    cell: Cell | None
    arch: dict[str, Any]
    eigenvalue: float | None = None
    sweeps: int = 0
    detour: int = 0
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
        space: The cell space.
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
        space: CellSpace,
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
            supernet = Supernet(space, scale, in_channels=data.in_channels, classes=data.classes, block=block)
        self.supernet = supernet.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch documents it, its types do not
        self.supernet.drop_path_generator.manual_seed(seed_integer(seed, "drop path"))
        self.weight_optim = torch.optim.SGD(
            self.supernet.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay
        )
        self.evaluation = SupernetEvaluator(self.supernet, self.weight_half, self.arch_half)
        generator = torch.Generator().manual_seed(seed_integer(seed, "architecture"))
        parts = SearchParts(space, self.supernet, self.weight_optim, self.evaluation, generator, known)
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
        course = self.begin(total)
        yield from self.training(course, picks=picks)
        yield from self.selection(course, picks=picks)

    def begin(self, total: int) -> Course:
        """Returns where a search of ``total`` epochs starts."""
        return Course(total, self.optimizer.guard(total))

    def training(self, course: Course, *, picks: bool = True) -> Iterator[SearchEpoch]:
        """Trains to the end of the schedules; yields every epoch but the last one, as :meth:`epochs` does.

        Between two epochs, and at the end, ``course`` and the search are what :meth:`snapshot` keeps.
        """
        while not course.over:
            back = self._advance(course)
            epoch = None if course.over else self._look(course.trained, _last_of(course), course.total, picks)
            if back is not None:  # only now, since the epoch is to show what made the search go back
                self._go_back(back, course.total)
            if epoch is not None:
                yield epoch

    def selection(self, course: Course, *, picks: bool = True) -> Iterator[SearchEpoch]:
        """Decides the final cell; yields the last epoch of :meth:`training`, and those that are trained on for it."""
        decided = self._decisions(_last_of(course), course.total)
        for number, (trained, is_last) in enumerate(decided, start=course.trained):
            yield self._look(number, trained, course.total, picks, is_last=is_last)

    def _look(self, number: int, trained: Trained, total: int, picks: bool, *, is_last: bool = False) -> SearchEpoch:
        """Returns what the search is like after the training of its ``number``-th epoch."""
        every = self.settings.cell_every
        due = is_last or (every > 0 and number % every == 0)
        cell = self.optimizer.cell() if picks and due else None
        one_shot_error = self.evaluation.error(self.optimizer.eval_mix())
        arch, sweeps = self.optimizer.arch_to_json(), self.optimizer.sweeps
        if not _is_finite(arch):  # what is drawn from it, or is its largest entry, would still be a legal cell
            raise SearchDivergedError(f"the architecture is not a number any more after epoch {number} of {total}")
        detour = 0 if cell is None else self.optimizer.detour
        return SearchEpoch(
            number, trained.loss, one_shot_error, cell, arch, trained.eigenvalue, sweeps, detour, trained.note
        )

    def _advance(self, course: Course) -> Return | None:
        """Trains the next epoch; returns where the search has to go back to from it, if it has to."""
        epoch, guard = course.epoch, course.guard
        trained = self._train_epoch(epoch, course.total, guard)
        course.trained += 1
        course.numbers[epoch] = course.trained
        back = guard.update(epoch, trained.eigenvalue, self.state) if guard else None
        course.over = epoch + 1 == course.total if back is None else back.weight_decay is None
        if back is not None:
            trained = replace(trained, note=f"{back.reason}, went back to epoch {course.numbers[back.epoch]}")
            if course.over:  # what is shown then is the state gone back to, whose eigenvalue it is not
                trained = replace(trained, eigenvalue=None)
        course.epoch = (epoch if back is None else back.epoch) + 1
        course.last = trained
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

    def _go_back(self, back: Return, total: int) -> None:
        self.load_state(back.state)
        self.optimizer.elapsed = (back.epoch + 1) / total
        if back.weight_decay is not None:
            for group in self.weight_optim.param_groups:
                group["weight_decay"] = back.weight_decay

    def state(self) -> dict[str, Any]:
        """Returns a copy of all that training changes; random streams of the loop are named by the epoch."""
        return {**deepcopy(self._weights()), "optimizer": self.optimizer.state()}

    def _weights(self) -> dict[str, Any]:
        drop_path = self.supernet.drop_path_generator.get_state()
        parts = {"supernet": self.supernet.state_dict(), "weight_optim": self.weight_optim.state_dict()}
        return {**parts, "drop_path": drop_path}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to what :meth:`state` returned."""
        self.supernet.load_state_dict(state["supernet"])
        self.weight_optim.load_state_dict(deepcopy(state["weight_optim"]))
        self.supernet.drop_path_generator.set_state(state["drop_path"])
        self.optimizer.load_state(state["optimizer"])

    def snapshot(self, course: Course) -> dict[str, Any]:
        """Returns all that a search is between two epochs of :meth:`training`, or after them.

        Its tensors are partly the search's own and not copies: to be packed before the search goes on.
        """
        return {"model": {**self._weights(), "optimizer": self.optimizer.state()}, "course": course.state()}

    def restore(self, snapshot: Mapping[str, Any], total: int) -> Course:
        """Makes a new search, of the same arguments, one that goes on from a :meth:`snapshot` of the same total."""
        course = self.begin(total)
        course.load_state(snapshot["course"])
        self.load_state(snapshot["model"])
        self.optimizer.elapsed = min(1.0, course.epoch / total)
        return course

    def identity(self, total: int) -> dict[str, Any]:
        """Returns what a search of ``total`` epochs depends on, as plain JSON values; for the images, their figures."""
        optimizer, half = type(self.optimizer), self.weight_half
        return {
            "optimizer": f"{optimizer.__module__}:{optimizer.__qualname__}",
            "settings": self.settings.identity(),
            "seed": self.seed,
            "epochs": total,
            "cell_space": self.optimizer.parts.space.name,
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

    def _train_epoch(self, epoch: int, total: int, guard: Guard | None = None) -> Trained:
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
        eigenvalue = guard.measure(epoch, valid) if guard else None
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


def _last_of(course: Course) -> Trained:
    if course.last is None:
        raise ValueError("a search has nothing to show before its first epoch is trained")
    return course.last


def _is_finite(tree: Any) -> bool:
    """Returns whether all numbers in nested mappings and lists are finite."""
    if isinstance(tree, float):
        return math.isfinite(tree)
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return all(map(_is_finite, parts))


def _ramp(epoch: int, total: int) -> float:
    """Returns what rises from 0 in the first epoch to 1 in the last, and stays there."""
    return min(1.0, epoch / (total - 1)) if total > 1 else 1.0
