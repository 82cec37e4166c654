from __future__ import annotations

import pytest
import torch

from metaopt.doctor import pytorch


def test_it_computes() -> None:
    assert pytorch.pytorch().state == "ok"
    assert torch.__version__ in pytorch.pytorch().text


def test_a_build_for_cuda_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert pytorch.device().state == "ok"
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert pytorch.device().state == "warning"
