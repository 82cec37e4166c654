"""The contract of one-shot optimizers as pytest classes; subclass :class:`OneShotContract` to check your own.

Every check trains a real supernet on real images, at a size that takes a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache, partial
from itertools import islice
from typing import Any, ClassVar

import pytest
import torch
from ConfigSpace import EqualsCondition, InCondition
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.util import deactivate_inactive_hyperparameters

from metaopt.cells.space import CELL_SPACES, Cell
from metaopt.core.errors import ConfigError
from metaopt.core.registry import resolve
from metaopt.core.trial import Value
from metaopt.images import digits
from metaopt.images.data import ImageSource
from metaopt.oneshot import ONESHOT
from metaopt.oneshot.base import OneShotOptimizer
from metaopt.oneshot.checkpoint.checkpoint import pack, unpack
from metaopt.oneshot.supernet.supernet import SupernetScale
from metaopt.oneshot.train import Search, SearchEpoch
from metaopt.spaces.file import space_names
from metaopt.spaces.space import load_space, plain

_SCALE = SupernetScale(channels=8, cells=3)
_FEWEST_IMAGES = 100  # two steps per epoch
_FEW_IMAGES = 280  # with the largest batches of the shipped spaces an epoch is a step
_EPOCHS_TO_STOP = 5  # shorter searches are over before a growing eigenvalue can stop them


def make_search(
    name: str,
    config: Mapping[str, Any],
    *,
    cell_space: int = 1,
    seed: int = 0,
    known: Callable[[Cell], bool] | None = None,
    subset: int | None = None,
) -> Search:
    """Returns a small real search of the optimizer ``name`` on digits, or a subset of them, not yet run."""
    optimizer: type[OneShotOptimizer] = resolve("one-shot optimizer", ONESHOT, name)
    return Search(
        optimizer,
        CELL_SPACES[cell_space],
        digits(ImageSource(subset=subset)),
        scale=_SCALE,
        settings=optimizer.Settings.from_config(dict(config)),
        seed=seed,
        device=torch.device("cpu"),
        known=known,
    )


def run_search(name: str, config: Mapping[str, Any], *, epochs: int = 2, **options: Any) -> list[SearchEpoch]:
    """Runs a search of :func:`make_search`, which takes the options, and returns its epochs.

    None trains more of them than its settings say that it may.
    """
    search = make_search(name, config, **options)
    done = list(search.epochs(epochs))
    assert done[-1].epoch <= search.settings.dearest_epochs(search.optimizer.parts.cell_space, epochs)
    return done


def run_in_pieces(make: Callable[[], Search], total: int) -> list[SearchEpoch]:
    """Runs a search as one that is dropped after every epoch, and continued by a new one from its checkpoint."""
    done: list[SearchEpoch] = []
    search = make()
    state = search.begin(total)
    while not state.over:
        done += islice(search.training(state), 1)  # none if it was the last: what that is like, the selection says
        raw = pack(search.identity(total), {}, state.save())
        search = make()
        state = search.begin(total, unpack(raw, search.identity(total))[1])
    return [*done, *search.selection(state)]


#: What a search keeps besides weights and architecture: settings, and the epochs that it takes to come to that. Each
#: counts for the optimizers that have these settings and allow them.
KEEPING: tuple[tuple[dict[str, Value], int], ...] = (
    ({"drop_path_prob": 0.5, "cutout_prob": 0.5, "cell_every": 1}, 3),
    ({"perturb": True, "selection": "perturbation", "projection_epochs": 0}, 2),
    ({"early_stopping": "code", "arch_learning_rate": 0.3}, _EPOCHS_TO_STOP),
    ({"early_stopping": "code", "adaptive": True, "weight_decay": 3e-3, "arch_learning_rate": 0.3}, _EPOCHS_TO_STOP),
)


def spaces_of(name: str) -> list[str]:
    """Returns the shipped spaces of an optimizer: the one of its name, and those that add a suffix to it."""
    return [space for space in space_names() if space == name or space.startswith(f"{name}_")]


def other_values(hyperparameter: Hyperparameter[Any, Any]) -> list[Value]:
    """Returns legal values away from the default: the other choices, or both ends and the middle of a range."""
    match hyperparameter:
        case CategoricalHyperparameter():
            values = list(hyperparameter.choices)
        case OrdinalHyperparameter():
            values = list(hyperparameter.sequence)
        case NumericalHyperparameter():
            ends = [hyperparameter.to_value(x) for x in (0.0, 0.5, 1.0)]
            # A value on a log scale comes back with the last digits changed.
            values = [x for x in ends if not math.isclose(x, hyperparameter.default_value, rel_tol=1e-6)]
        case _:
            values = []
    return [v for v in plain({str(i): v for i, v in enumerate(values)}).values() if v != hyperparameter.default_value]


def perturbed(space_name: str, hyperparameter: str, value: Value) -> tuple[dict[str, Value], dict[str, Value]]:
    """Returns two legal configurations that differ in ``hyperparameter`` only, in which it is active.

    Probabilities stand at their upper end, so that what they gate without a condition is at work too.
    """
    space = load_space(space_name)
    base = plain({name: h.default_value for name, h in space.items()})
    for name, other in space.items():
        if isinstance(other, NumericalHyperparameter) and name.endswith("_prob"):
            base[name] = other.upper
    for condition in space.parent_conditions_of[hyperparameter]:
        if isinstance(condition, EqualsCondition):
            base[condition.parent.name] = condition.value
        elif isinstance(condition, InCondition):
            base[condition.parent.name] = condition.values[0]
    changed = {**base, hyperparameter: value}
    active = [plain(deactivate_inactive_hyperparameters(values, space)) for values in (base, changed)]
    return active[0], active[1]


def fingerprint(epochs: Sequence[SearchEpoch]) -> list[Any]:
    """Returns what a search did, without its settings: losses, errors, architectures, cells."""
    return [(e.train_loss, e.one_shot_error, e.arch, e.cell) for e in epochs]


def _is_known(cell: Cell) -> bool:
    """Returns whether a cell is in a made-up table of half of all cells."""
    return int(cell.graph.hash, 16) % 2 == 0


@lru_cache
def _searched(name: str, config: tuple[tuple[str, Value], ...], epochs: int, seed: int) -> tuple[SearchEpoch, ...]:
    return tuple(run_search(name, dict(config), epochs=epochs, seed=seed, subset=_FEW_IMAGES))


def _search_changes(name: str, base: Mapping[str, Value], changed: Mapping[str, Value]) -> bool:
    """Returns whether the two make a difference; with one seed of some, as what only picks may well pick the same."""
    items = [tuple(sorted(config.items())) for config in (base, changed)]
    watched = any(config.get("early_stopping", "off") != "off" for config in (base, changed))
    epochs = _EPOCHS_TO_STOP if watched else 2
    searched = ([fingerprint(_searched(name, config, epochs, seed)) for config in items] for seed in (1, 2, 3, 4))
    return any(first != second for first, second in searched)


def hyperparameters_of(name: str) -> list[tuple[str, str]]:
    """Returns every hyperparameter of every shipped space of an optimizer that has more than one value.

    What a space takes over from the default one is named once.
    """
    default = load_space(name)
    return [
        (space, str(hyperparameter))
        for space in spaces_of(name)
        for hyperparameter, described in load_space(space).items()
        if not isinstance(described, Constant) and (space == name or default.get(hyperparameter) != described)
    ]


class OneShotContract:
    """What every one-shot optimizer keeps to.

    Attributes:
        name: In the registry.
        config: Hyperparameters of the searches here, where the optimizer's defaults take long or need more epochs.
        scaled: Hyperparameters whose default in the space of that name is not the published one, because what was
            published is made for epochs of hundreds of steps; their ``source`` says both.
        has_architecture: False if it learns nothing but the weights of the supernet.
        learns_in: Epochs of 21 steps that lower the training loss by a fifth; many where every step trains another
            path.
    """

    name: str
    config: ClassVar[Mapping[str, Any]] = {}
    scaled: ClassVar[Collection[str]] = ()
    has_architecture: ClassVar[bool] = True
    learns_in: ClassVar[int] = 4

    def search(self, config: Mapping[str, Any] | None = None, **options: Any) -> list[SearchEpoch]:
        """Runs a small search with ``config`` on top of :attr:`config`; options as of :func:`run_search`."""
        return run_search(self.name, {**self.config, **(config or {})}, **options)

    @pytest.mark.parametrize("cell_space", CELL_SPACES)
    def test_losses_are_finite_and_cells_are_legal(self, cell_space: int) -> None:
        """Every epoch has a finite loss, an error in [0, 1] and a cell of the space."""
        epochs = self.search(cell_space=cell_space)
        assert [epoch.epoch for epoch in epochs] == [1, 2]
        assert epochs[-1].cell is not None
        for epoch in epochs:
            assert math.isfinite(epoch.train_loss)
            assert 0 <= epoch.one_shot_error <= 1
            if epoch.cell is None:
                continue
            assert tuple(map(len, epoch.cell.parents)) == CELL_SPACES[cell_space].n_parents
            assert len(epoch.cell.ops) == CELL_SPACES[cell_space].n_nodes

    def test_only_known_cells_are_picked(self) -> None:
        """Half of all cells may be; the weights learn under all of them, so that nothing else is another."""
        free = self.search({"cell_every": 1})
        bound = self.search({"cell_every": 1}, known=_is_known)
        assert [epoch.train_loss for epoch in bound] == [epoch.train_loss for epoch in free]
        assert all(epoch.cell is not None and _is_known(epoch.cell) for epoch in bound)
        assert self.search({"cell_every": 1}, known=lambda cell: True) == free

    def test_training_moves_every_architecture_weight(self) -> None:
        """No weight of the architecture is where it was an epoch before, if there is any."""
        first, second = self.search()
        before, after = (_leaves(epoch.arch) for epoch in (first, second))
        assert len(before) == len(after)
        assert bool(before) == self.has_architecture
        assert all(a != b for a, b in zip(before, after, strict=True))

    def test_the_supernet_learns(self) -> None:
        """Some epochs of many steps lower the training loss by a fifth at least."""
        epochs = self.search({"batch_size": 16, "learning_rate": 0.1}, epochs=self.learns_in)
        assert epochs[-1].train_loss < 0.8 * epochs[0].train_loss

    def test_a_search_repeats_itself_and_leaves_the_global_generator_alone(self) -> None:
        """Same seed, same search, whatever has been drawn elsewhere; another seed, another one."""
        torch.manual_seed(1)
        before = torch.random.get_rng_state()
        first = self.search(seed=5)
        assert torch.equal(before, torch.random.get_rng_state())
        torch.manual_seed(2)
        assert fingerprint(self.search(seed=5)) == fingerprint(first)
        assert fingerprint(self.search(seed=6)) != fingerprint(first)

    def test_a_search_that_is_dropped_goes_on_from_its_checkpoint(self) -> None:
        """Dropped after every single epoch, it has the same epochs and the same cell, to the last bit."""
        settings = resolve("one-shot optimizer", ONESHOT, self.name).Settings
        names = {field.name for field in fields(settings)}
        for kept, epochs in KEEPING:
            if not names >= kept.keys() or ("early_stopping" in kept and not settings.curvature_is_steady):
                continue
            config = {**self.config, **kept, "batch_size": 24}
            make = partial(make_search, self.name, config, subset=_FEWEST_IMAGES, seed=3)
            assert run_in_pieces(make, epochs) == list(make().epochs(epochs)), kept

    def test_every_hyperparameter_is_alive(self) -> None:
        """A changed value of any hyperparameter of any shipped space changes the settings and the search."""
        optimizer = resolve("one-shot optimizer", ONESHOT, self.name)
        cases = hyperparameters_of(self.name)
        assert self.name in {space for space, _ in cases}
        for space, hyperparameter in cases:
            searches_changed = False
            for value in other_values(load_space(space)[hyperparameter]):
                quick = {key: given for key, given in self.config.items() if key != hyperparameter}
                base, changed = ({**config, **quick} for config in perturbed(space, hyperparameter, value))
                settings = [optimizer.Settings.from_config(dict(config)) for config in (base, changed)]
                assert settings[0] != settings[1], f"{hyperparameter} of {space} does not reach the settings"
                if _search_changes(self.name, base, changed):
                    searches_changed = True
                    break
            assert searches_changed, f"{hyperparameter} of {space} does not reach the search"

    def test_a_default_space_holds_the_published_defaults(self) -> None:
        """The default of the space named like the optimizer is what its settings default to."""
        optimizer = resolve("one-shot optimizer", ONESHOT, self.name)
        default = plain(load_space(self.name).get_default_configuration())
        settings, published = optimizer.Settings.from_config(default), optimizer.Settings()
        differing = {name for name in default if getattr(settings, name) != getattr(published, name)}
        # cutout is a gate: off is the same as the published probability of 0
        assert differing - {"cutout"} == set(self.scaled)

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"batch_size": 4_000}, "batch_size 4000 does not fit: a half of the training images has 350"),
            ({"batch_size": 0}, "batch_size must be at least 2"),
            ({"learning_rate": -1.0}, "learning_rate must be more than 0"),
            ({"momentum": 1.5}, r"momentum must be in \[0, 1\], got 1.5"),
            ({"learning_rat": 0.1}, "unknown hyperparameter 'learning_rat'; did you mean 'learning_rate'"),
        ],
    )
    def test_bad_values_are_named(self, config: dict[str, Any], message: str) -> None:
        """What no search can take is refused before it starts."""
        with pytest.raises(ConfigError, match=message):
            self.search(config)

    def test_a_diverging_search_ends(self) -> None:
        """A loss that is not a number ends the search with an error, never with a cell."""
        with pytest.raises(ArithmeticError, match=r"training loss is|architecture is not a number"):
            self.search({"learning_rate": 1e30, "grad_clip": 1e30}, epochs=5)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, Mapping):
        return [leaf for value in tree.values() for leaf in _leaves(value)]
    if isinstance(tree, (list, tuple)):
        return [leaf for value in tree for leaf in _leaves(value)]
    return [tree]
