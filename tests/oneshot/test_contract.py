"""Every registered one-shot optimizer keeps the contract: one line each."""

from __future__ import annotations

from typing import ClassVar

from metaopt.oneshot import ONESHOT
from metaopt.testing.oneshot_contract import OneShotContract


class TestDarts(OneShotContract):
    name = "darts"


class TestDarts2(OneShotContract):
    name = "darts2"


class TestGdas(OneShotContract):
    name = "gdas"


class TestPcDarts(OneShotContract):
    name = "pcdarts"


class TestProxyless(OneShotContract):
    name = "proxyless"
    config: ClassVar = {"batch_size": 16, "arch_every": 1, "warm_start": 0.0}
    scaled = ("arch_every", "arch_weight_decay")
    learns_in = 12


class TestRandomWs(OneShotContract):
    name = "randomws"
    config: ClassVar = {"candidates": 10, "finalists": 2, "screening_images": 16, "grad_clip": 5.0}
    scaled = ("candidates", "screening_images", "grad_clip")
    has_architecture = False
    learns_in = 12


class TestEnas(OneShotContract):
    name = "enas"
    config: ClassVar = {
        "candidates": 10,
        "finalists": 2,
        "screening_images": 16,
        "controller_steps": 5,
        "grad_clip": 5.0,
    }
    scaled = ("candidates", "controller_learning_rate", "controller_steps", "grad_clip")
    learns_in = 12


def test_every_optimizer_is_under_contract() -> None:
    assert {contract.name for contract in OneShotContract.__subclasses__()} >= ONESHOT.keys()
