from __future__ import annotations

from typing import Any

import pytest

from metaopt.objectives.base import dearest_epochs
from metaopt.objectives.oneshot import OneShot
from metaopt.objectives.table import TableLookup

ROBUST = {"early_stopping": "code", "adaptive": True, "weight_decay": 3e-4}
PERTURBED = {"selection": "perturbation", "projection_epochs": 5}


def test_an_objective_that_does_not_say_otherwise_trains_what_it_is_asked_to() -> None:
    assert dearest_epochs(TableLookup(), {}, 8) == 8


@pytest.mark.parametrize(
    ("cell_space", "config", "epochs", "dearest"),
    [
        (1, {}, 8, 8),
        (1, PERTURBED, 4, 4 + 5 * 6),  # 4 operations; parents of nodes 2, 3 and the output, all but one decision
        (2, PERTURBED, 4, 4 + 5 * 7),
        (3, PERTURBED, 4, 4 + 5 * 9),
        (1, {**PERTURBED, "projection_epochs": 0}, 4, 4),
        (1, {"early_stopping": "code"}, 25, 25),
        (1, ROBUST, 25, 25 + 2 * 6),  # penalties 3e-3 and 3e-2, each after going back 2 + 4 measurements
        (1, ROBUST, 2, 2),  # over before the rule could fire
        (3, {**ROBUST, **PERTURBED}, 25, 25 + 2 * 6 + 5 * 9),
        (1, {"adaptive": True}, 4, 4),  # which no search takes
        (1, {"selection": 3}, 4, 4),
    ],
)
def test_a_search_says_what_it_may_train(cell_space: int, config: dict[str, Any], epochs: int, dearest: int) -> None:
    objective = OneShot(optimizer="darts", cell_space=cell_space, device="cpu")
    assert dearest_epochs(objective, config, epochs) == dearest
