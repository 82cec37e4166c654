"""How good the one-shot model is on images that its weights are not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn import functional as F

from metaopt.oneshot.supernet.data import Half
from metaopt.oneshot.supernet.mix import Mixes
from metaopt.oneshot.supernet.supernet import Supernet


class SupernetEvaluator:
    """Evaluates a supernet under a mix, with the batch norm statistics that its scale asks for.

    Args:
        supernet: The one-shot model.
        weight_half: What its weights are trained on; statistics are recalibrated on it.
        arch_half: What errors are measured on.
    """

    def __init__(self, supernet: Supernet, weight_half: Half, arch_half: Half) -> None:
        self.supernet, self.weight_half, self.arch_half = supernet, weight_half, arch_half

    def error(self, mix: Mixes, images: int | None = None) -> float:
        """Returns the share of wrongly classified images of the architecture's half.

        Args:
            mix: What to run under.
            images: Only so many of them, the first ones; None: all.
        """
        self.prepare(mix)
        return self.score(mix, self.arch_half.first(images))[0]

    def prepare(self, mix: Mixes) -> None:
        """Recalibrates batch norm for ``mix`` if the statistics are to be those of the mix that is evaluated."""
        if self.supernet.scale.batch_norm == "recalibrated":
            self.supernet.recalibrate((images for images, _ in self.weight_half.pieces()), mix)

    @torch.no_grad()
    def score(self, mix: Mixes, half: Half) -> tuple[float, float]:
        """Returns error and mean cross-entropy on the images of ``half`` under ``mix``, with the stored statistics."""
        self.supernet.eval()
        return self._score(mix, half)

    @torch.no_grad()
    def batch_score(self, mix: Mixes) -> tuple[float, float]:
        """Returns error and mean cross-entropy on the architecture's half, with the statistics of these images."""
        with unchanged(self.supernet):
            self.supernet.train()
            return self._score(mix, self.arch_half)

    def _score(self, mix: Mixes, half: Half) -> tuple[float, float]:
        wrong, loss = 0, 0.0
        for images, truth in half.pieces():
            logits = self.supernet(images, mix)
            wrong += int((logits.argmax(1) != truth).sum())
            loss += float(F.cross_entropy(logits, truth, reduction="sum"))
        return wrong / len(half), loss / len(half)


@contextmanager
def unchanged(supernet: Supernet) -> Iterator[None]:
    """Gives a supernet its batch norm statistics and its mode back."""
    training, kept = supernet.training, [buffer.clone() for buffer in supernet.buffers()]
    try:
        yield
    finally:
        supernet.train(training)
        for buffer, before in zip(supernet.buffers(), kept, strict=True):
            buffer.copy_(before)
