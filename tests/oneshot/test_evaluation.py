from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from searches import small_search


def test_error_and_loss_of_the_architecture_half() -> None:
    search = small_search("darts", batch_size=32)
    list(search.epochs(2))
    mix, half, evaluation = search.optimizer.mix(), search.arch_half, search.evaluation
    error = evaluation.error(mix)
    with torch.no_grad():
        logits = search.supernet(half.images, mix)
    assert error == pytest.approx((logits.argmax(1) != half.labels).float().mean().item())
    found, loss = evaluation.score(mix, half.images, half.labels)
    assert found == error
    assert loss == pytest.approx(F.cross_entropy(logits, half.labels).item(), rel=1e-5)
    assert evaluation.error(mix, images=1) in (0.0, 1.0)
