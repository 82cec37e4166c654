from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from metaopt.oneshot.evaluation import unchanged
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
