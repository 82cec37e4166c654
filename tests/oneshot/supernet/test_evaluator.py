from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from metaopt.cells.space import CELL_SPACES
from metaopt.images import ImageData
from metaopt.oneshot.darts import Darts, DartsSettings
from metaopt.oneshot.supernet.data import Half
from metaopt.oneshot.supernet.evaluator import SupernetEvaluator, unchanged
from metaopt.oneshot.supernet.supernet import SupernetScale
from metaopt.oneshot.train import Search
from searches import small_search


def test_error_and_loss_of_the_architecture_half() -> None:
    search = small_search("darts", batch_size=32)
    list(search.epochs(2))
    mix, half, evaluation = search.optimizer.mix(), search.arch_half, search.evaluation
    error = evaluation.error(mix)
    with torch.no_grad():
        logits = search.supernet(half.images, mix)
    assert error == pytest.approx((logits.argmax(1) != half.labels).float().mean().item())
    found, loss = evaluation.score(mix, half)
    assert found == error
    assert loss == pytest.approx(F.cross_entropy(logits, half.labels).item(), rel=1e-5)
    assert evaluation.error(mix, images=1) in (0.0, 1.0)


def test_statistics_of_the_evaluated_images_are_not_kept() -> None:
    search = small_search("darts", batch_size=32)
    list(search.epochs(1))
    mix, half, evaluation = search.optimizer.mix(), search.arch_half, search.evaluation
    before = {name: buffer.clone() for name, buffer in search.supernet.named_buffers()}
    error, loss = evaluation.batch_score(mix)
    assert all(torch.equal(buffer, before[name]) for name, buffer in search.supernet.named_buffers())
    search.supernet.train()
    with torch.no_grad():
        logits = search.supernet(half.images, mix)
    assert error == pytest.approx((logits.argmax(1) != half.labels).float().mean().item())
    assert loss == pytest.approx(F.cross_entropy(logits, half.labels).item(), rel=1e-5)


@pytest.fixture(scope="module")
def trained() -> Search:
    search = small_search("darts", batch_size=32)
    list(search.epochs(3))
    return search


def of_size(half: Half, images: int) -> Half:
    repeats = -(-images // len(half))
    return replace(half, levels=half.levels.repeat(repeats, 1, 1, 1), labels=half.labels.repeat(repeats)).first(images)


@pytest.mark.parametrize("images", [1, 2, 3, 64, 350, 499, 500, 501, 503, 999, 1001, 1100])
@pytest.mark.parametrize("limit", [2**30, 101 * 64])
def test_an_error_does_not_depend_on_how_images_are_cut(
    trained: Search, images: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaopt.oneshot.supernet.data._PIXELS", limit)
    reference, evaluated, mix = of_size(trained.weight_half, images), trained.arch_half, trained.optimizer.mix()
    with unchanged(trained.supernet):
        error = SupernetEvaluator(trained.supernet, reference, evaluated).error(mix)
        trained.supernet.recalibrate([reference.images], mix)
        trained.supernet.eval()
        with torch.no_grad():
            logits = trained.supernet(evaluated.images, mix)
    at_once = (logits.argmax(1) != evaluated.labels).float().mean().item()
    in_one_piece = images * 64 <= limit
    assert error == pytest.approx(at_once, abs=1e-6 if in_one_piece else 0.02)


@pytest.mark.parametrize("limit", [2**30, 500 * 16])
def test_a_last_image_of_one_pixel_stands_in_no_piece_of_its_own(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of 4 pixels are one pixel wide in the last cells, where one of them has no variance."""
    monkeypatch.setattr("metaopt.oneshot.supernet.data._PIXELS", limit)
    rng = np.random.default_rng(0)
    part = rng.integers(256, size=(1002, 4, 4, 3), dtype=np.uint8), np.arange(1002) % 10
    data = ImageData(part, lambda: part, lambda: part, 10, np.full(3, 127, np.float32), np.full(3, 74, np.float32), "")
    settings, cpu = DartsSettings(batch_size=64), torch.device("cpu")
    search = Search(Darts, CELL_SPACES[1], data, scale=SupernetScale(4, 3), settings=settings, seed=0, device=cpu)
    assert len(list(search.epochs(1))) == 1
    assert len(search.evaluation.batch_score(search.optimizer.mix())) == 2


@pytest.mark.parametrize("training", [True, False])
def test_a_supernet_is_as_it_was_even_after_a_failure(training: bool) -> None:
    supernet = small_search("darts").supernet.train(training)
    before = [buffer.clone() for buffer in supernet.buffers()]

    def disturb() -> None:
        with unchanged(supernet):
            supernet.train(not training)
            for buffer in supernet.buffers():
                buffer += 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        disturb()
    assert supernet.training is training
    assert all(torch.equal(*pair) for pair in zip(before, supernet.buffers(), strict=True))
