"""Why searches on digits have the scale they have: hyperparameters must matter beside the luck of a seed.

Prints the spread of the found cells' validation errors between configurations and between seeds of one configuration.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from metaopt.core.seeds import seed_integer
from metaopt.core.trial import Trial
from metaopt.objectives.oneshot import OneShot
from metaopt.spaces.space import plain

CONFIGURATIONS, SEEDS = 12, 4


@pytest.mark.perf
def test_hyperparameters_matter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    objective = OneShot(optimizer="darts", benchmark="digits", cell_space=1, device="cpu")
    objective.space.seed(3)
    default = objective.space.get_default_configuration()
    configs = [plain(c) for c in (default, *objective.space.sample_configuration(CONFIGURATIONS - 1))]
    errors = np.empty((CONFIGURATIONS, SEEDS))
    started = time.process_time()
    for row, config in enumerate(configs):
        for seed in range(SEEDS):
            trial = Trial(0, row, config, objective.epochs[1], seed_integer(seed, row, "scale"))
            errors[row, seed] = objective.evaluate(trial, tmp_path).valid_error
    cpu_s = (time.process_time() - started) / errors.size
    within = errors.var(axis=1, ddof=1).mean()
    between = errors.mean(axis=1).var(ddof=1) - within / SEEDS
    with capsys.disabled():
        print(f"\n{objective.epochs[1]} epochs, {cpu_s:.1f} CPU s per search; default {errors[0].mean():.4f}, ", end="")
        print(f"configurations {errors.mean(axis=1).min():.4f} to {errors.mean(axis=1).max():.4f}; standard ", end="")
        print(f"deviation between configurations {max(between, 0) ** 0.5:.4f}, between seeds {within**0.5:.4f}")
    assert between > 0
