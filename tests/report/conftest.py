"""Journals of made-up runs: the input of the report's tests."""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, Integer

from metaopt.cells.space import CELL_SPACES
from metaopt.core.trial import Result, Trial
from metaopt.report.data.groups import Group
from metaopt.report.data.load import Evaluation, RunData
from metaopt.runs.journal import JournalWriter

Answer = tuple[float, float] | float | None

OPTIMUM_VALID, OPTIMUM_TEST = 0.031, 0.035
RUNGS = (27, 3, 3, 3, 9, 3, 3, 9, 3, 27)


#: Databases that were opened, while somebody wants to know.
_opened: list[sqlite3.Connection] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "sqlite3.connect/handle" and _opened is not None:
        _opened.append(arguments[0])  # type: ignore[arg-type]


sys.addaudithook(_note)


@pytest.fixture(autouse=True)
def closed_databases() -> Iterator[None]:
    """Fails a test that leaves a database open, on every Python: from 3.13 on, one that nobody closes is a warning."""
    global _opened
    _opened = opened = []
    yield
    _opened = None
    for database in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            database.total_changes  # noqa: B018  (raises)


def demo_space() -> ConfigurationSpace:
    """A space with every kind of dimension: log, linear, integer, categorical, a gate and what it gates."""
    space = ConfigurationSpace()
    gate = Categorical("cutout", [False, True], default=False)
    length = Integer("cutout_length", (1, 6), default=4)
    space.add(
        Float("learning_rate", (1e-3, 1e-1), log=True, default=0.025),
        Float("momentum", (0.0, 0.99), default=0.9),
        Integer("batch_size", (16, 128), log=True, default=96),
        Categorical("schedule", ["cosine", "constant", "step"], default="cosine"),
        gate,
        length,
    )
    space.add(EqualsCondition(length, gate, True))
    return space


def header(space: ConfigurationSpace, *, seed: int = 0, budget: int = 40, **settings: Any) -> dict[str, Any]:
    """A whole header as a study writes it."""
    return {
        "run": {
            "optimizer": "darts",
            "benchmark": "digits",
            "cell_space": 1,
            "tuner": "bohb",
            "tuner_options": {"eta": 3.0},
            "budget": budget,
            "min_epochs": 3,
            "max_epochs": 27,
            "seed": seed,
            **settings,
        },
        "space": space.to_serialized_dict(),
        "default": dict(space.get_default_configuration()),
        "objective": {
            "optimum_valid_error": OPTIMUM_VALID,
            "optimum_test_error": OPTIMUM_TEST,
            "table": {"cells": 2685, "seeds": 3, "epochs": [3, 6, 12]},
            "scale": {"channels": 8},
        },
        "versions": {"python": "3.11.9", "metaopt": "0.1.0"},
        "host": {"cores": 2},
        "started": "2026-11-23T14:00:00+00:00",
        "command": ["metaopt", "tune", "--optimizer", "darts"],
    }


def demo_result(trial: Trial, rng: np.random.Generator) -> Result:
    """An answer that depends on learning rate and epochs, with a trajectory and a cell."""
    distance = abs(math.log10(float(trial.config["learning_rate"])) + 1.9)
    steps = np.arange(1, trial.epochs + 1)
    valid = 0.034 + 0.02 * distance + 0.03 * np.exp(-steps / 6) + rng.normal(0, 0.002, len(steps)) ** 2 * 400
    one_shot = 0.08 + 0.5 * np.exp(-steps / 5) + rng.normal(0, 0.01, len(steps)) + 0.02 * distance
    cells = [CELL_SPACES[1].sample(rng).graph for _ in steps]
    test = valid + rng.normal(0.004, 0.001, len(steps))
    return Result(
        trial.id,
        "ok",
        float(valid[-1]),
        float(test[-1]),
        0.2 * trial.epochs,
        info={
            "cell": cells[-1].key,
            "cell_hash": cells[-1].hash,
            "one_shot_error": float(one_shot[-1]),
            "device": "cpu",
            "trajectory": {
                "one_shot_error": one_shot.tolist(),
                "valid_error": valid.tolist(),
                "test_error": test.tolist(),
                "cell": [cell.key for cell in cells],
            },
        },
    )


def write_journal(path: Path, head: dict[str, Any], answered: list[tuple[Trial, Result | None]]) -> None:
    """Writes a journal: every trial asked a second before it is told, one every two seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(path)
    writer.header(head)
    for place, (trial, result) in enumerate(answered):
        writer.ask(2.0 * place, trial)
        if result is not None:
            writer.tell(2.0 * place + 1, result)
    writer.close()


def demo_trials(space: ConfigurationSpace, n: int, seed: int) -> list[tuple[Trial, Result | None]]:
    """``n`` answered trials, the default first; every thirteenth one crashed."""
    rng = np.random.default_rng(seed)
    space.seed(seed)
    configs = [space.get_default_configuration(), *space.sample_configuration(n + 1)][:n]
    answered: list[tuple[Trial, Result | None]] = []
    for number, config in enumerate(configs):
        values = {k: v.item() if hasattr(v, "item") else v for k, v in dict(config).items()}
        values = {k: str(v) if isinstance(v, str) else v for k, v in values.items()}
        trial = Trial(number, number, values, RUNGS[number % len(RUNGS)], seed + number)
        crashed = number % 13 == 12
        result = Result(number, "crashed", cost_s=0.4, reason="killed by signal 11 (SIGSEGV)") if crashed else None
        answered.append((trial, result or demo_result(trial, rng)))
    return answered


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a run folder in a fresh place: ``make_run("name", n=40, seed=0, confirm=3)``."""

    def make(name: str = "run", *, n: int = 40, seed: int = 0, confirm: int = 3, **settings: Any) -> Path:
        space = demo_space()
        folder = tmp_path_factory.mktemp("runs") / name
        answered = demo_trials(space, n, seed)
        write_journal(folder / "journal.jsonl", header(space, seed=seed, **settings), answered)
        finished = [(t, r) for t, r in answered if r is not None and r.valid_error is not None and t.epochs == 27]
        if confirm and finished:
            incumbent = min(finished, key=lambda pair: pair[1].loss)[0].config
            rng = np.random.default_rng(seed + 1)
            trials = [
                Trial(i, i % 2, incumbent if i % 2 else answered[0][0].config, 27, 1000 + i) for i in range(2 * confirm)
            ]
            write_journal(
                folder / "confirm" / "journal.jsonl",
                header(space, seed=seed, tuner="fixed"),
                [(t, demo_result(t, rng)) for t in trials],
            )
        return folder

    return make


@pytest.fixture(scope="session")
def write_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a run folder of given answers: ``write_run([(trial, result or None), ...], objective={...})``."""

    def write(
        answered: list[tuple[Trial, Result | None]],
        *,
        name: str = "run",
        confirmed: list[tuple[Trial, Result | None]] | None = None,
        **head: Any,
    ) -> Path:
        folder = tmp_path_factory.mktemp("runs") / name
        content = header(demo_space()) | head
        write_journal(folder / "journal.jsonl", content, answered)
        if confirmed:
            write_journal(folder / "confirm" / "journal.jsonl", content, confirmed)
        return folder

    return write


@pytest.fixture(scope="session")
def answer() -> Callable[..., tuple[Trial, Result | None]]:
    """Makes a trial with its answer: ``answer(id, valid, test, epochs=27, key=None, config={}, info={})``."""

    def make(
        number: int,
        valid: float | None,
        test: float | None = None,
        *,
        epochs: int = 27,
        key: int | None = None,
        config: dict[str, Any] | None = None,
        info: dict[str, Any] | None = None,
        reason: str = "",
        trained: int | None = None,
        cpu_s: float | None = None,
    ) -> tuple[Trial, Result | None]:
        trial = Trial(number, number if key is None else key, config or {}, epochs, 100 + number)
        if valid is None and not reason:
            return trial, None
        status = "crashed" if valid is None else "ok"
        return trial, Result(number, status, valid, test, 1.5, reason, info or {}, trained, cpu_s)

    return make


def run_of(
    name: str, seed: int, answers: Sequence[Answer], *, epochs: Sequence[int] = (), step_s: float = 2.0, **settings: Any
) -> RunData:
    """A run; an answer is validation and test error, or one number for both, or None for a crash."""
    told = []
    for number, answer in enumerate(answers):
        trial = Trial(number, number, {}, epochs[number] if epochs else 8, number)
        valid, test = answer if isinstance(answer, tuple) else (answer, answer)
        info = {"cell": "111:conv3x3", "cell_hash": "x"} if valid is not None else {}
        result = Result(number, "ok" if valid is not None else "crashed", valid, test, info=info)
        told.append(Evaluation(trial, step_s * number, result, step_s * (number + 1)))
    header = {
        "run": {
            "benchmark": "digits",
            "cell_space": 1,
            "tuner": "random",
            "seed": seed,
            "budget": len(answers),
            **settings,
        },
        "objective": {"optimum_valid_error": 0.0, "optimum_test_error": 0.0, "table": {"cells": 2685, "seeds": 3}},
        "versions": {"python": "3.11"},
        "host": {"name": "a", "cores": 2, "commit": "0123456789abcdef"},
    }
    return RunData(name, header, (), tuple(told), tuple(told))


def group(
    label: str, runs: Sequence[Sequence[Answer]], *, seeds: Sequence[int] | None = None, **settings: Any
) -> Group:
    """A group with a run for each list of answers."""
    seeds = range(len(runs)) if seeds is None else seeds
    members = [run_of(f"{label}-s{seed}", seed, answers, **settings) for seed, answers in zip(seeds, runs, strict=True)]
    return Group(label, tuple(members))


@pytest.fixture(scope="session")
def group_of() -> Callable[..., Group]:
    """Makes a group: ``group_of("a", [[0.3, 0.2], [0.4, None]], seeds=[0, 1], tuner="re", optimizer="darts")``."""
    return group


def tuned_group(label: str, confirmed: Mapping[int, tuple[Answer, ...]], **settings: Any) -> Group:
    """A group of runs by seed, each with one confirming search of its default and one of what it found, or none."""
    found = group(label, [[0.3]] * len(confirmed), seeds=list(confirmed), **settings)
    runs = []
    for run, answers in zip(found.runs, confirmed.values(), strict=True):
        default = {} if len(answers) == 1 else {"x": 0}  # every trial's configuration is empty
        searches = run_of("confirm", 0, answers).told
        runs.append(replace(run, header={**run.header, "default": default}, confirmed=searches))
    return Group(label, tuple(runs))


@pytest.fixture(scope="session")
def tuned_group_of() -> Callable[..., Group]:
    """Makes a group: ``tuned_group_of("darts-tpe", {0: (0.3, 0.2), 1: (0.4,)}, optimizer="darts", tuner="tpe")``.

    Keys are seeds, values the errors of default and tuned, None for a search that failed; one error where the default
    stayed the best; none where nothing was confirmed.
    """
    return tuned_group
