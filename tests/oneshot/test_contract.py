"""Every registered one-shot optimizer keeps the contract: one line each."""

from __future__ import annotations

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


def test_every_optimizer_is_under_contract() -> None:
    assert {contract.name for contract in OneShotContract.__subclasses__()} >= ONESHOT.keys()
