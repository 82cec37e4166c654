"""The contract suites of tuners: subclass :class:`TunerContract`, set ``name``, run pytest.

A tuner that runs successive-halving brackets takes :class:`BracketContract` instead.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Constant, EqualsCondition, Float, GreaterThanCondition, Integer

from metaopt.core.errors import JournalError
from metaopt.core.registry import load, resolve
from metaopt.core.seeds import seed_integer, stream
from metaopt.core.trial import Result, Status, Trial, Value
from metaopt.spaces.exact import Space
from metaopt.spaces.space import check_config, exact, plain, space_from_json, space_to_json
from metaopt.tuners import TUNERS
from metaopt.tuners.base import Problem, Tuner

MIN_EPOCHS, MAX_EPOCHS = 2, 20
ContractEvent = Trial | Result


def mixed_space() -> ConfigurationSpace:
    """Returns a space with every kind of hyperparameter: log, integer, categorical, bool, conditional, constant."""
    space = ConfigurationSpace(name="mixed")
    rate = Float("rate", (1e-4, 1.0), log=True, default=0.025)
    batch = Integer("batch", (16, 128), log=True, default=96)
    order = Categorical("order", ["first", "second"], default="first")
    gate = Categorical("gate", [True, False], default=False)
    length = Integer("length", (1, 6), default=4)
    share = Float("share", (0.0, 1.0), default=0.5)
    space.add(rate, batch, order, gate, length, share, Constant("cells", 3))
    space.add(EqualsCondition(length, gate, True), GreaterThanCondition(share, batch, 32))
    return space


def mixed_space_without_default() -> Space:
    """Returns :func:`mixed_space`, its default being nothing that anybody recommends, as of cells."""
    space = exact(mixed_space())
    space.has_default = False
    return space


def build(name: str, options: Mapping[str, Any], space: ConfigurationSpace, *, seed: int) -> Tuner:
    """Returns the tuner that is registered as ``name``, or stands at ``"module:attribute"``."""
    kind: type[Tuner] = load(name) if ":" in name else resolve("tuner", TUNERS, name)
    if "min_epochs" in inspect.signature(kind).parameters:
        raise TypeError(
            f"the constructor of {name} is that of metaopt 0.1: take problem: Problem and **options, hand both to "
            "super().__init__, and declare the options as the fields of a nested dataclass Options(Tuner.Options)"
        )
    return kind(Problem(space, seed, MIN_EPOCHS, MAX_EPOCHS), **options)


def play(tuner: Tuner, *, n: int, crash_rate: float = 0.2, in_flight: int = 4, seed: int = 0) -> list[ContractEvent]:
    """Runs a tuner as an asynchronous run would and returns what happened.

    Args:
        tuner: A new tuner.
        n: Number of asks; fewer if the tuner has nothing left.
        crash_rate: Share of trials that crash, time out or are stopped.
        in_flight: Trials that run at once; told in random order, and left untold at the end.
        seed: Of the order, the crashes and the losses.
    """
    rng = stream(seed, "play")
    events: list[ContractEvent] = []
    running: list[Trial] = []
    asked = 0
    while asked < n:
        trials = tuner.ask(min(n - asked, in_flight - len(running)))
        asked += len(trials)
        running += trials
        events += trials
        if not running:
            break
        result = _answer(running.pop(rng.integers(len(running))), crash_rate, rng)
        tuner.tell(result)
        events.append(result)
    return events


def _answer(trial: Trial, crash_rate: float, rng: np.random.Generator) -> Result:
    if rng.random() < crash_rate:
        status: Status = ("crashed", "timeout", "stopped")[rng.integers(3)]
        return Result(trial.id, status, reason="on purpose")
    rate = float(trial.config.get("rate", 0.1))
    error = 0.05 + 0.1 * abs(math.log10(rate) + 1) + 0.4 / trial.epochs + 0.02 * rng.random()
    return Result(trial.id, "ok", valid_error=min(error, 1.0))


def trials_of(events: Sequence[ContractEvent]) -> list[Trial]:
    """Returns the asks among ``events``."""
    return [event for event in events if isinstance(event, Trial)]


def print_asks(job: str) -> None:
    """Prints the asks of :func:`play` as JSON, for comparing processes; ``job`` is JSON too."""
    name, options, space, seed, n = json.loads(job)
    events = play(build(name, options, space_from_json(space), seed=seed), n=n)
    print(json.dumps([trial.to_json() for trial in trials_of(events)]))


class TunerContract:
    """The contract of :class:`metaopt.tuners.base.Tuner`.

    Attributes:
        name: The tuner's registered name, or ``"module:attribute"``.
        n_asks: Length of a test run; long enough for the tuner's model to come into play.
        cuts: Places where its journal is cut, to go on from there.
    """

    name: ClassVar[str]
    n_asks: ClassVar[int] = 60
    cuts: ClassVar[int] = 12

    def options(self, space: ConfigurationSpace) -> dict[str, Any]:
        """Returns the options to test with, as plain JSON values; may make models small and so the tests fast."""
        return {}

    def tuner(self, space: ConfigurationSpace | None = None, *, seed: int = 1) -> Tuner:
        """Returns a new tuner, over :func:`mixed_space` if no space is given."""
        space = mixed_space() if space is None else space
        return build(self.name, self.options(space), space, seed=seed)

    @pytest.fixture(scope="class")
    @classmethod
    def events(cls) -> list[ContractEvent]:
        """A run with crashes and four trials in flight."""
        return play(cls().tuner(), n=cls.n_asks)

    def test_configurations_belong_to_the_space(self, events: list[ContractEvent]) -> None:
        """Every active hyperparameter has a legal value, and no other is there."""
        for trial in trials_of(events):
            check_config(mixed_space(), trial.config)

    def test_one_key_is_one_configuration(self, events: list[ContractEvent]) -> None:
        """Trials that share a key evaluate the same configuration."""
        configs: dict[int, Mapping[str, Value]] = {}
        for trial in trials_of(events):
            assert configs.setdefault(trial.key, trial.config) == trial.config

    def test_trials_are_plain_json(self, events: list[ContractEvent]) -> None:
        """Plain Python values only, so that a trial survives a journal line unchanged."""
        for trial in trials_of(events):
            assert {type(value) for value in trial.config.values()} <= {str, int, float, bool}
            assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial

    def test_first_configuration_is_the_default(self, events: list[ContractEvent]) -> None:
        """Comparisons with the default are fair."""
        assert trials_of(events)[0].config == plain(mixed_space().get_default_configuration())

    def test_without_a_default_the_first_configuration_is_a_draw(self) -> None:
        """By the stream of ask 0; and no design of a model brings in what nobody recommends."""
        space, seed = mixed_space_without_default(), 3
        asked = trials_of(play(self.tuner(space, seed=seed), n=self.n_asks // 2))
        space.seed(seed_integer(seed, 0, "space"))
        assert asked[0].config == plain(space.sample_configuration())
        default = plain(space.get_default_configuration())
        assert default not in [trial.config for trial in asked]

    def test_a_journal_that_began_with_the_default_goes_on(self, events: list[ContractEvent]) -> None:
        """Earlier versions began so in every space: such a run goes on as it would have then."""
        for cut in (1, len(events) // 2):
            tuner = self.tuner(mixed_space_without_default())
            tuner.replay(events[:cut])
            for event in events[cut:]:
                if isinstance(event, Trial):
                    assert tuner.ask() == [event], f"after a replay of {cut} events"
                else:
                    tuner.tell(event)

    def test_ids_count_from_zero_and_seeds_differ(self, events: list[ContractEvent]) -> None:
        """No id is skipped or used twice, and no two trials share their randomness."""
        trials = trials_of(events)
        assert [trial.id for trial in trials] == list(range(len(trials)))
        assert len({trial.seed for trial in trials}) == len(trials)

    def test_epochs_are_within_the_budgets(self, events: list[ContractEvent]) -> None:
        """Whole numbers from the smallest to the largest budget."""
        assert {type(trial.epochs) for trial in trials_of(events)} == {int}
        assert all(MIN_EPOCHS <= trial.epochs <= MAX_EPOCHS for trial in trials_of(events))

    def test_same_seed_same_asks(self, events: list[ContractEvent]) -> None:
        """The run seed decides everything."""
        assert play(self.tuner(), n=self.n_asks) == events
        assert trials_of(play(self.tuner(seed=2), n=5)) != trials_of(events)[:5]

    def test_same_asks_in_another_process_with_another_hash_seed(self, events: list[ContractEvent]) -> None:
        """Nothing depends on the order of a set."""
        space = mixed_space()
        job = json.dumps([self.name, self.options(space), space_to_json(space), 1, self.n_asks])
        code = f"import sys; from {__name__} import print_asks; print_asks(sys.argv[1])"
        hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", code, job], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert [Trial.from_json(data) for data in json.loads(done.stdout)] == trials_of(events)

    def test_callers_global_generator_and_space_are_left_alone(self) -> None:
        """Who uses a tuner may use NumPy's global generator and the space besides."""
        space, untouched = mixed_space(), mixed_space()
        space.seed(5)
        untouched.seed(5)
        before = np.random.get_state(legacy=False)  # noqa: NPY002, what is tested
        play(self.tuner(space), n=self.n_asks)
        np.testing.assert_equal(np.random.get_state(legacy=False), before)  # noqa: NPY002, likewise
        assert plain(space.sample_configuration()) == plain(untouched.sample_configuration())

    def test_callers_global_generator_has_no_influence(self, events: list[ContractEvent]) -> None:
        """What the caller does with NumPy's global generator changes no ask."""
        before = np.random.get_state()  # noqa: NPY002, what is tested
        np.random.seed(99)  # noqa: NPY002, likewise
        try:
            assert play(self.tuner(), n=self.n_asks) == events
        finally:
            np.random.set_state(before)  # noqa: NPY002, likewise

    def test_survives_crashes_of_all_trials(self) -> None:
        """A tuner that gets no result at all goes on asking."""
        events = play(self.tuner(), n=30, crash_rate=1.0)
        assert len(trials_of(events)) == len(trials_of(play(self.tuner(), n=30)))

    def test_asks_without_tells(self) -> None:
        """An ask never waits, and asking for many at once is asking for one after the other."""
        tuner = self.tuner()
        one_by_one = [trial for _ in range(20) for trial in tuner.ask()]
        assert one_by_one
        assert self.tuner().ask(20) == one_by_one

    def test_tells_out_of_order(self) -> None:
        """Results come back in any order."""
        tuner = self.tuner()
        trials = tuner.ask(8)
        for trial in reversed(trials):
            tuner.tell(Result(trial.id, "ok", valid_error=trial.id / 10))
        for trial in tuner.ask(8):
            check_config(mixed_space(), trial.config)

    def test_a_trial_is_told_once(self) -> None:
        """A second tell of the same trial is refused."""
        tuner = self.tuner()
        result = Result(tuner.ask()[0].id, "ok", valid_error=0.5)
        tuner.tell(result)
        with pytest.raises(KeyError):
            tuner.tell(result)

    def test_goes_on_after_replay_as_if_uninterrupted(self, events: list[ContractEvent]) -> None:
        """Replaying any prefix, in-flight trials included, rebuilds the exact state."""
        logged = [Trial.from_json(json.loads(json.dumps(e.to_json()))) if isinstance(e, Trial) else e for e in events]
        for cut in range(0, len(events), max(1, len(events) // self.cuts)):
            tuner = self.tuner()
            tuner.replay(logged[:cut])
            for event in events[cut:]:
                if isinstance(event, Trial):
                    assert tuner.ask() == [event], f"after a replay of {cut} events"
                else:
                    tuner.tell(event)

    def test_refuses_to_replay_another_run(self, events: list[ContractEvent]) -> None:
        """A journal of another seed is not taken for this run's."""
        with pytest.raises(JournalError, match="trial 0 of the journal"):
            self.tuner(seed=2).replay(events)

    def test_a_space_of_one_hyperparameter(self) -> None:
        """The smallest space works."""
        space = ConfigurationSpace(name="one")
        space.add(Float("rate", (0.1, 1.0), default=0.5))
        for trial in trials_of(play(self.tuner(space), n=30)):
            check_config(space, trial.config)


class BracketContract(TunerContract):
    """The further contract of a tuner that promotes the best configurations to larger budgets.

    Its memos say the bracket and the rung; see :class:`metaopt.tuners.shared.brackets.BracketTuner`.
    """

    n_asks: ClassVar[int] = 80
    eta: ClassVar[int] = 2

    def test_budgets_are_on_rungs(self, events: list[ContractEvent]) -> None:
        """Only the budgets largest / eta^k are used."""
        n_rungs = math.floor(math.log(MAX_EPOCHS / MIN_EPOCHS) / math.log(self.eta) + 1e-9) + 1
        rungs = [round(MAX_EPOCHS / self.eta**below) for below in reversed(range(n_rungs))]
        assert {trial.epochs for trial in trials_of(events)} == set(rungs)
        assert all(trial.epochs == rungs[trial.memo["rung"]] for trial in trials_of(events))

    def test_only_told_trials_are_promoted(self, events: list[ContractEvent]) -> None:
        """A promotion follows a result that is ok, one rung up in the same bracket."""
        told: set[int] = set()
        seen: dict[int, Trial] = {}
        promotions = 0
        for event in events:
            if isinstance(event, Result):
                told |= {event.trial_id} if event.status == "ok" else set()
                continue
            if (earlier := seen.get(event.key)) is not None:
                promotions += 1
                assert earlier.id in told
                assert event.memo["bracket"] == earlier.memo["bracket"]
                assert event.memo["rung"] == earlier.memo["rung"] + 1
            seen[event.key] = event
        assert promotions >= 5

    def test_the_best_of_a_rung_are_promoted(self, events: list[ContractEvent]) -> None:
        """No configuration is promoted before a better one of its rung."""
        losses = {event.trial_id: event for event in events if isinstance(event, Result)}
        rungs: dict[tuple[int, int], list[Trial]] = defaultdict(list)
        for trial in trials_of(events):
            rungs[trial.memo["bracket"], trial.memo["rung"]].append(trial)
        checked = 0
        for (bracket, rung), trials in rungs.items():
            promoted = {trial.key for trial in rungs.get((bracket, rung + 1), [])} & {trial.key for trial in trials}
            if promoted and all(trial.id in losses for trial in trials):
                finished = [trial for trial in trials if losses[trial.id].status == "ok"]
                ranked = sorted(finished, key=lambda trial: losses[trial.id].loss)
                assert {trial.key for trial in ranked[: len(promoted)]} == promoted
                checked += 1
        assert checked >= 3
