from __future__ import annotations

from collections import Counter

import optuna
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)
from optuna.trial import TrialState

from metaopt.cells.codec import cell_configuration_space
from metaopt.cells.space import CELL_SPACES
from metaopt.core.trial import Result
from metaopt.spaces.space import check_config, load_space
from tuning import new


def small_space() -> ConfigurationSpace:
    space = ConfigurationSpace(seed=0)
    space.add(
        Categorical("kind", ["a", "b", "c"]),
        Categorical("gate", [True, False]),
        OrdinalHyperparameter("width", [8, 16, 32]),
        Integer("depth", (1, 64), log=True),
        Float("rate", (1e-3, 1.0), log=True),
        Constant("cells", 3),
    )
    space.add(EqualsCondition(space["rate"], space["gate"], True))
    space.add(ForbiddenEqualsClause(space["kind"], "c"))
    return space


def test_every_kind_of_hyperparameter_is_proposed_and_learnt() -> None:
    """The model sees values in Optuna's form and gives ours back: width 8 and a gate that is on are best here."""
    space = small_space()
    tuner = new("tpe", space)
    late = []
    for n in range(120):
        (trial,) = tuner.ask()
        check_config(space, trial.config)
        assert trial.config["cells"] == 3
        width = trial.config["width"]
        tuner.tell(Result(trial.id, "ok", 0.1 + int(width) / 64 + (0.3 if not trial.config["gate"] else 0.0)))
        late += [trial.config] if n >= 40 else []
    # By chance 27 +- 4 of the last 80 have that width, and 40 +- 4 that gate.
    assert Counter(config["width"] for config in late)[8] > 45
    assert Counter(config["gate"] for config in late)[True] > 52


def test_an_ordinal_is_its_place() -> None:
    tuner = new("tpe", small_space())
    (trial,) = tuner.ask()
    (study,) = tuner._model._studies.values()
    assert study.trials[0].params["width"] == [8, 16, 32].index(int(trial.config["width"]))
    assert "cells" not in study.trials[0].params


def test_crashes_are_told_as_the_worst_loss_and_running_trials_are_known() -> None:
    tuner = new("tpe")
    first, second, _ = tuner.ask(3)
    tuner.tell(Result(second.id, "crashed"))
    tuner.tell(Result(first.id, "ok", 0.25))
    (study,) = tuner._model._studies.values()
    assert [(t.state, t.value) for t in study.trials] == [
        (TrialState.COMPLETE, 0.25),
        (TrialState.COMPLETE, 1.0),
        (TrialState.RUNNING, None),
    ]


def test_nothing_is_stored_but_in_memory() -> None:
    tuner = new("tpe", load_space("darts_cs2"))
    tuner.ask()
    (study,) = tuner._model._studies.values()
    assert isinstance(study._storage, optuna.storages.InMemoryStorage)


def test_what_the_sampler_repeats_is_left_in_random_steps() -> None:
    """The sampler soon wants nothing but the best cell, and every cell is worth being looked up once."""
    tuner = new("tpe", cell_configuration_space(CELL_SPACES[1]))
    trials = []
    for _ in range(150):
        (trial,) = tuner.ask()
        best = all(value == "conv3x3" for name, value in trial.config.items() if name.startswith("op"))
        tuner.tell(Result(trial.id, "ok", 0.1 if best else 0.2))
        trials.append(trial)
    assert len({tuple(sorted(trial.config.items())) for trial in trials}) == 150
    assert all(trial.memo["model_based"] for trial in trials[20:])
