"""Our tuners beside a plain use of the upstream library, or a plain restatement: on a real table they do as well.

Peers evaluate the default first, because every tuner here does; they have nothing else of ours. Compared are how far
the best look-up of each run is from the table's optimum, and, as far more can be seen in it, the mean error of the
second half of each run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import optuna
import pytest
from scipy.stats import ks_2samp, mannwhitneyu

import lookups
from metaopt.core.registry import resolve
from metaopt.core.trial import Result, Value
from metaopt.spaces.space import plain
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem
from metaopt.tuners.shared.silence import silenced

pytestmark = pytest.mark.slow

RUNS, LEVEL = 40, 0.01
CHOICES = {name: [str(choice) for choice in of.choices] for name, of in lookups.SPACE.items()}
DEFAULT = plain(lookups.SPACE.get_default_configuration())

Config = dict[str, Value]


def error_of(config: Mapping[str, Value]) -> float:
    return lookups.valid_error(*(str(config[name]) for name in lookups.SPACE))


def uniform(rng: np.random.Generator) -> Config:
    return {name: str(rng.choice(choices)) for name, choices in CHOICES.items()}


def random_peer(seed: int, n: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [error_of(uniform(rng) if i else DEFAULT) for i in range(n)]


def evolution_peer(seed: int, n: int, population: int, tournament: int) -> list[float]:
    """Algorithm 1 of Real et al. (2019); a child differs from its parent in one choice."""
    rng = np.random.default_rng(seed)
    living: list[tuple[float, Config]] = []
    history = []
    for i in range(n):
        if i < population:
            config = uniform(rng) if i else DEFAULT
        else:
            sample = [living[rng.integers(population)] for _ in range(tournament)]
            config = dict(min(sample, key=lambda member: member[0])[1])
            name = str(rng.choice(list(CHOICES)))
            config[name] = str(rng.choice([choice for choice in CHOICES[name] if choice != config[name]]))
        history.append(error_of(config))
        living = [*living, (history[-1], config)][-population:]
    return history


def optuna_peer(seed: int, n: int) -> list[float]:
    """Optuna's own loop, which may look a cell up again."""

    def objective(trial: optuna.Trial) -> float:
        return error_of({name: trial.suggest_categorical(name, choices) for name, choices in CHOICES.items()})

    with silenced("optuna"):
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=10)
        study = optuna.create_study(sampler=sampler)
        study.enqueue_trial(DEFAULT)
        study.optimize(objective, n_trials=n)
    return [trial.values[0] for trial in study.trials]


#: Of each tuner its peer, the options of both, and the look-ups of a run.
PEERS: dict[str, tuple[Callable[..., list[float]], dict[str, int], int]] = {
    "random": (random_peer, {}, 100),
    "re": (evolution_peer, {"population": 20, "tournament": 5}, 100),
    "tpe": (optuna_peer, {}, 60),
}


def our_run(name: str, seed: int, n: int, **options: Any) -> list[float]:
    tuner = resolve("tuner", TUNERS, name)(Problem(lookups.SPACE, seed, 8, 8), **options)
    history = []
    for _ in range(n):
        (trial,) = tuner.ask()
        history.append(error_of(trial.config))
        tuner.tell(Result(trial.id, "ok", history[-1]))
    return history


@cache
def ours(name: str) -> np.ndarray:
    """The errors of all runs, one run a row."""
    _, options, n = PEERS[name]
    return np.array([our_run(name, seed, n, **options) for seed in range(RUNS)])


def final_regret(runs: np.ndarray) -> np.ndarray:
    return runs.min(axis=1) - lookups.OPTIMUM


def late_error(runs: np.ndarray) -> np.ndarray:
    return runs[:, runs.shape[1] // 2 :].mean(axis=1)


def p_values(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Of Mann and Whitney's test and of Kolmogorov and Smirnov's."""
    return float(mannwhitneyu(first, second).pvalue), float(ks_2samp(first, second).pvalue)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_ends_where_its_peer_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    peer, options, n = PEERS[name]
    theirs = np.array([peer(seed, n, **options) for seed in range(RUNS)])
    for measure in (final_regret, late_error):
        both = measure(ours(name)), measure(theirs)
        p = p_values(*both)
        with capsys.disabled():
            print(f"\n{name:7}{measure.__name__:13}", end="")
            print(
                f" medians {np.median(both[0]):.4f} and {np.median(both[1]):.4f}, p {p[0]:.2f} and {p[1]:.2f}", end=""
            )
        assert min(p) > LEVEL


@pytest.mark.parametrize("name", ["re", "tpe"])
def test_as_many_runs_tell_a_tuner_that_learns_from_one_that_does_not(name: str) -> None:
    """Or the agreement above would say nothing."""
    random = ours("random")[:, : PEERS[name][2]]
    assert np.median(final_regret(ours(name))) < np.median(final_regret(random))
    assert max(p_values(late_error(ours(name)), late_error(random))) < 1e-6
