"""The objective of tuning, which also tells what a trial's process did that its fork server could have done."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from metaopt.core.trial import Result, Trial
from metaopt.executors.base import Recipe, Task
from metaopt.executors.process.child import run_trial
from metaopt.images import _load
from metaopt.objectives.oneshot import OneShot
from metaopt.oneshot import ONESHOT

#: What makes a search of each optimizer as short as it gets, and what makes it import most.
CONFIGS: dict[str, dict[str, Any]] = {
    **{name: {"batch_size": 64, "cutout_prob": 0.5} for name in ONESHOT},
    "darts": {"batch_size": 64, "selection": "perturbation", "projection_epochs": 0, "early_stopping": "code"},
    "darts2": {"batch_size": 64, "hessian": "exact", "eigenvalue_every": 1},
    "enas": {"batch_size": 64, "controller_steps": 2, "candidates": 2, "finalists": 1},
    "randomws": {"batch_size": 64, "candidates": 2, "finalists": 1},
}
_server: dict[str, Any] = {}


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 0


class Watched(OneShot):
    """Prepares for all optimizers; its results say what the process of the trial added to what its server had."""

    @classmethod
    def preload(cls, *, optimizer: str, **settings: Any) -> None:
        before = _threads()
        for name in ONESHOT:
            super().preload(optimizer=name, **settings)
        started = _threads() - before
        _server.update(modules=set(sys.modules), misses=_load.cache_info().misses, threads=started)
        _server["cuda"] = torch.cuda.is_initialized()

    def evaluate(self, trial: Trial, folder: Path, *watch: Any) -> Result:
        result = super().evaluate(trial, folder, *watch)
        told = {
            "imported": sorted(set(sys.modules) - _server["modules"]),
            "images": _load.cache_info().misses - _server["misses"],
            "threads": _server["threads"],
            "cuda": _server["cuda"],
        }
        return replace(result, info=told)


def tell() -> None:
    """Prints, as JSON, the result of a trial of every optimizer."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, config) in enumerate(CONFIGS.items()):
            settings = {"optimizer": name, "channels": 4, "device": "cpu", "subset": 128}
            task = Task(Recipe("watched:Watched", settings), Trial(number, number, config, 1, 0), Path(folder, name))
            results[name] = run_trial(task)
    print(json.dumps(results))
