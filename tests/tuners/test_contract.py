from __future__ import annotations

from copy import deepcopy
from typing import Any

from ConfigSpace import ConfigurationSpace

from metaopt.spaces.space import plain
from metaopt.testing.tuner_contract import BracketContract, TunerContract
from metaopt.tuners import TUNERS


class TestRandom(TunerContract):
    name = "random"


class TestHyperband(BracketContract):
    name = "hyperband"


class TestBOHB(BracketContract):
    name = "bohb"

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        return {"num_samples": 4}

    def test_the_model_came_into_play(self, events: list[Any]) -> None:
        assert sum(bool(getattr(event, "memo", {}).get("model_based")) for event in events) >= 5


class TestFixed(TunerContract):
    name = "metaopt.tuners.fixed:Fixed"

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        drawn = deepcopy(space)
        drawn.seed(0)
        others = [plain(config) for config in drawn.sample_configuration(3)]
        return {"configs": [plain(space.get_default_configuration()), *others], "repeats": 4}

    def test_without_a_default_the_first_configuration_is_a_draw(self) -> None:
        """Not here: it is what it is given."""


class TestGrid(TunerContract):
    name = "grid"


class TestDesign(TunerContract):
    name = "design"


class TestRegularizedEvolution(TunerContract):
    name = "re"

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        return {"population": 10, "tournament": 3}


class TestReinforce(TunerContract):
    name = "reinforce"


class TestLocalSearch(TunerContract):
    name = "local_search"


class TestBananas(TunerContract):
    name = "bananas"

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        return {"batch": 4, "candidates": 20, "members": 2}

    def test_the_model_came_into_play(self, events: list[Any]) -> None:
        assert sum(bool(getattr(event, "memo", {}).get("model_based")) for event in events) >= 40


class TestSMAC(TunerContract):
    name = "smac"
    cuts = 4

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        return {"challengers": 50, "n_initial": 8}


class TestSMACMultiFidelity(BracketContract):
    name = "smac_mf"
    cuts = 4

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        return {"challengers": 50}


class TestTPE(TunerContract):
    name = "tpe"


class TestTPEHyperband(BracketContract):
    name = "tpe_hb"


def test_every_tuner_is_here() -> None:
    suites = [*TunerContract.__subclasses__(), *BracketContract.__subclasses__()]
    assert {suite.name for suite in suites if hasattr(suite, "name")} >= set(TUNERS)
