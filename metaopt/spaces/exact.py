"""ConfigSpace's space with one meaning: what is active, which values there are, and draws that come to an end.

ConfigSpace 1.2 defines twice what is active, by values and by vectors, and the two differ: ``NEQ`` on an inactive
parent holds for vectors, and a condition on parents of several depths is looked at before all of them are settled.
Here a condition on an inactive parent never holds, and parents are settled before children, in draws, neighbors and
checks alike. NumPy makes one type of choices that have several; here every choice stays what it is. Places on a
number's scale are compared as they come out of its value, so that rounding does not decide what is active.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace._condition_tree import DAG, ConditionNode, HPNode
from ConfigSpace.conditions import (
    BinaryOpCondition,
    Condition,
    EqualsCondition,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    NotEqualsCondition,
)
from ConfigSpace.forbidden import ForbiddenGreaterThanEqualsClause, ForbiddenLessThanEqualsClause
from ConfigSpace.hyperparameters import (
    Constant,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    NumericalHyperparameter,
)
from ConfigSpace.hyperparameters.distributions import (
    DiscretizedContinuousScipyDistribution,
    Distribution,
    ScipyContinuousDistribution,
    UniformIntegerDistribution,
    UniformIntegerNormalizedDistribution,
    UnitUniformContinuousDistribution,
    WeightedIntegerDiscreteDistribution,
)
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES, TransformerSeq
from ConfigSpace.read_and_write.dictionary import (
    CONDITION_DECODERS,
    CONDITION_ENCODERS,
    FORBIDDEN_DECODERS,
    FORBIDDEN_ENCODERS,
    HYPERPARAMETER_DECODERS,
)
from ConfigSpace.types import NotSet
from numpy.typing import NDArray

from metaopt.core.errors import ConfigError

_Places = NDArray[np.float64]
_Mask = NDArray[np.bool_]
_Decoder = Callable[[dict[str, Any], ConfigurationSpace, Any], Any]

#: Draws after which no more legal configurations are looked for.
MOST_DRAWS = 1_000_000
_MOST_ROWS = 2**15  # of draws at a time, for which there must be memory
_MOST_ROUNDS = 100  # until rounding changes nothing more: two or three are usual
_FEW_TRIES = 20  # with few draws each, as ConfigSpace makes them, before there are more and more


class Space(ConfigurationSpace):
    """A space whose parts agree with each other; every tuner, and every library below it, draws from one.

    Args:
        name: Of the space.
        has_default: Whether its default configuration is one that somebody recommends. That of a space of cells is
            only the first choice everywhere, so nothing begins with it or is compared with it.
    """

    def __init__(self, name: str | None = None, *, has_default: bool = True) -> None:
        super().__init__(name)
        self.has_default = has_default
        self._dag = _Conditions()

    @classmethod
    def decoded(cls, data: Mapping[str, Any]) -> Self:
        """Returns the space that ConfigSpace's format says; what is wrong with it is for ConfigSpace to raise."""
        space = cls(data.get("name"))
        space.add([_decoded(item, space, _HYPERPARAMETERS) for item in data.get("hyperparameters") or ()])
        conditions = [_decoded(item, space, _CONDITIONS) for item in data.get("conditions") or ()]
        space.add(conditions, [_decoded(item, space, _FORBIDDENS) for item in data.get("forbiddens") or ()])
        return space

    def encoded(self) -> dict[str, Any]:
        """Returns the space in ConfigSpace's format."""
        return self.to_serialized_dict(encoders=_ENCODERS)

    def draws(self, n: int) -> _Places:
        """Returns the legal ones among ``n`` draws from the priors.

        Returns:
            (D, up to n) places of D hyperparameters on their scales, NaN where inactive.
        """
        places = np.array([h._vector_dist.sample_vector(n=n, seed=self.random) for h in self.values()])
        return places[:, self._settle(places)]

    def quantiles(self, shares: _Places) -> tuple[_Places, _Mask]:
        """Returns the configurations below which the priors have a share of their mass, each by itself.

        Args:
            shares: (D, N) shares in [0, 1), of D hyperparameters.

        Returns:
            (D, N) places of hyperparameters on their scales, NaN where inactive, and which (N,) of them are legal.
        """
        places = np.array([_quantiles(h._vector_dist, of) for h, of in zip(self.values(), shares, strict=True)])
        return places, self._settle(places)

    def _settle(self, places: _Places) -> _Mask:
        """Makes (D, N) places exact, inactive ones NaN, and returns which N are legal."""
        for row, of in enumerate(self._dag.nodes.values()):
            if of.children or of.forbiddens or isinstance(of.hp, IntegerHyperparameter):
                places[row] = _exact(of.hp, places[row])
        for node in self._dag.minimum_conditions:
            places[np.ix_(node.children_indices, ~node.condition.satisfied_by_vector_array(places))] = np.nan
        legal = np.ones(places.shape[1], dtype=np.bool_)
        for clause in self.forbidden_clauses:
            legal &= ~clause.is_forbidden_vector_array(places)
        return legal

    def sample_configuration(self, size: int | None = None) -> Any:
        """Returns draws from the priors; what ConfigSpace would return, but after :data:`MOST_DRAWS` as many as found.

        Args:
            size: How many to return; one that stands alone for None and, as ConfigSpace has it, for 1.

        Raises:
            ConfigError: if there is no legal one among :data:`MOST_DRAWS`.
        """
        wanted = 1 if size is None else size
        found: list[_Places] = []
        factor = (len(self.forbidden_clauses) + len(self.conditional_hyperparameters)) / max(len(self), 1)
        rows, tries, drawn = wanted, 0, 0
        while len(found) < wanted and drawn < MOST_DRAWS:
            usual = max(int(factor**2 * rows), 5)
            rows = min(usual if tries < _FEW_TRIES or found else 2 ** (tries - _FEW_TRIES) * usual, _MOST_ROWS)
            found.extend(self.draws(rows).T)
            drawn, tries, rows = drawn + rows, tries + 1, wanted - len(found)
        if wanted and not found:
            raise without_room(self.name, 0, drawn)
        if wanted == 1:
            return Configuration(self, vector=found[0].copy())
        return [Configuration(self, vector=places.copy()) for places in found[:wanted]]


def _quantiles(prior: Distribution, shares: _Places) -> _Places:
    """Returns the places below which a prior has the shares of its mass."""
    match prior:
        case UnitUniformContinuousDistribution():
            places = shares
        case UniformIntegerDistribution(size=size):
            places = np.floor(shares * size)
        case UniformIntegerNormalizedDistribution(size=size):
            places = np.floor(shares * size) / max(size - 1, 1)
        case DiscretizedContinuousScipyDistribution():
            places = prior._quantize(prior.rv.ppf(shares))
        case ScipyContinuousDistribution():
            places = prior.rv.ppf(shares)
        case WeightedIntegerDiscreteDistribution(probabilities=mass):
            places = np.searchsorted(np.cumsum(mass), shares, side="right").astype(np.float64)
        case _:  # of a constant
            places = prior.sample_vector(len(shares))
    return np.clip(places, prior.lower_vectorized, prior.upper_vectorized)


def without_room(name: str | None, legal: int, drawn: int) -> ConfigError:
    """Returns the error for a space whose constraints leave almost nothing.

    Args:
        name: Of the space.
        legal: Draws that its forbidden clauses allowed.
        drawn: Of how many.
    """
    return ConfigError(
        f"the forbidden clauses of the space{f' {name}' if name else ''} leave almost nothing: of {drawn} random "
        f"configurations {legal} were legal",
        "drop a clause, or write the hyperparameters so that most of their values go together",
    )


class _Conditions(DAG):
    """What depends on what, in the order in which it is to be settled."""

    @contextmanager
    def update(self) -> Iterator[Self]:
        """Lets the caller add parts, and then finds out what depends on what."""
        with super().update():
            yield self
        # ConfigSpace sorts conditions by the shallowest of their parents, and takes some for the same that are not.
        settled = {name: ConditionNode.from_node(node) for name, node in self.nodes.items() if node.parent_condition}
        for condition in settled.values():
            condition.nan_arr = np.full(1, np.nan)
        self.minimum_conditions = list(settled.values())
        below = {name: _descendants(node) for name, node in self.nodes.items()}
        self.change_hp_lookup = {
            name: [node for child, node in settled.items() if child in names] for name, names in below.items() if names
        }


def _descendants(node: HPNode) -> set[str]:
    found: set[str] = set()
    waiting = [node]
    while waiting:
        new = [child for child, _ in waiting.pop().children.values() if child.name not in found]
        found |= {child.name for child in new}
        waiting += new
    return found


def _exact(hyperparameter: Hyperparameter[Any, Any], places: _Places) -> _Places:
    """Returns places on a number's scale as they come out of the values that they stand for."""
    if isinstance(hyperparameter, Constant):
        return np.ones_like(places)  # some of SMAC's have 0
    if not isinstance(hyperparameter, NumericalHyperparameter):
        return places
    return np.asarray(_to_places(hyperparameter, hyperparameter.to_value(places)))


def _to_places(hyperparameter: NumericalHyperparameter[Any, Any], values: Any) -> Any:
    if isinstance(hyperparameter, FloatHyperparameter):
        values = np.round(values, ROUND_PLACES)  # as configurations have them
    with np.errstate(all="ignore"):  # of what is outside of the range
        return hyperparameter.to_vector(values)


class _OneMeaning(Condition):
    """A condition on one parent that never holds where that is inactive, however it is asked."""

    @abstractmethod
    def _holds(self, places: Any) -> Any:
        """Returns whether it holds for places of an active parent."""

    def satisfied_by_vector(self, vector: _Places) -> bool:
        """Returns whether it holds for the places of a configuration."""
        return bool(self.satisfied_by_vector_array(vector[:, None])[0])

    def satisfied_by_vector_array(self, arr: _Places) -> _Mask:
        """Returns for which of (D, N) places it holds."""
        places = arr[self.parent_vector_id]
        active = ~np.isnan(places)
        held = np.zeros(len(places), dtype=np.bool_)
        there = places[active]
        # A number's place was found from its value already; to go there and back again may move it.
        held[active] = self._holds(
            there if isinstance(self.parent, FloatHyperparameter) else _exact(self.parent, there)
        )
        return held

    def satisfied_by_value(self, values: dict[str, Any]) -> bool:
        """Returns whether it holds for values by name, NotSet for what is inactive."""
        value = values[self.parent.name]
        if value is NotSet:
            return False
        if isinstance(self.parent, NumericalHyperparameter):
            return bool(self._holds(_to_places(self.parent, value)))
        return bool(self.parent.legal_value(value)) and bool(self._holds(self.parent.to_vector(value)))


class _Comparison(_OneMeaning, BinaryOpCondition):
    def _holds(self, places: Any) -> Any:
        return self._VECTOR_OP(places, self.vector_value)


class _Equals(_Comparison, EqualsCondition):
    pass


class _NotEquals(_Comparison, NotEqualsCondition):
    pass


class _LessThan(_Comparison, LessThanCondition):
    pass


class _GreaterThan(_Comparison, GreaterThanCondition):
    pass


class _In(_OneMeaning, InCondition):
    def _holds(self, places: Any) -> Any:
        return np.isin(places, self.vector_values)


class _AtLeast(ForbiddenGreaterThanEqualsClause):
    """ConfigSpace's, but that it does not print what it is asked."""

    def is_forbidden_vector(self, vector: _Places) -> bool:
        """Returns whether it forbids the places of a configuration."""
        return bool(vector[self.vector_id] >= self.vector_value)


class _AtMost(ForbiddenLessThanEqualsClause):
    """ConfigSpace's, but that it forbids the same of many configurations as of one."""

    def is_forbidden_vector_array(self, arr: _Places) -> _Mask:
        """Returns which of (D, N) places it forbids."""
        return np.asarray(arr[self.vector_id] <= self.vector_value)


def _decoded(item: Mapping[str, Any], space: ConfigurationSpace, decoders: Mapping[str, _Decoder]) -> Any:
    def decode(part: Mapping[str, Any], space: ConfigurationSpace, _: Any) -> Any:
        rest = dict(part)
        if isinstance(space.get(str(rest.get("parent", rest.get("name")))), FloatHyperparameter):
            rest |= {key: _settled(rest[key]) for key in ("value", "values") if key in rest}
        elif str(rest["type"]).endswith("_float"):
            rest |= {
                key: _settled(rest[key]) for key in ("lower", "upper", "default_value") if rest.get(key) is not None
            }
        return decoders[rest.pop("type")](rest, space, decode)

    return decode(item, space, decode)


def _settled(number: Any) -> Any:
    """Returns what is left of a number, or of each in a list, however often ConfigSpace rounds it.

    Its rounding may move a number above some hundreds by a bit at each time, but never past one that it leaves alone.
    """
    if isinstance(number, list | tuple):
        return [_settled(one) for one in number]
    for _ in range(_MOST_ROUNDS):
        before, number = number, float(np.round(number, ROUND_PLACES))
        if number == before:
            break
    return number


def _with_choices_as_they_are(key: str, decoder: _Decoder) -> _Decoder:
    def decode(item: dict[str, Any], space: ConfigurationSpace, inner: Any) -> Any:
        if "default_value" in item:  # it may be written as 1 where the choice is 1.0
            item["default_value"] = next((v for v in item[key] if v == item["default_value"]), item["default_value"])
        hyperparameter = decoder(item, space, inner)
        hyperparameter._transformer = TransformerSeq(list(getattr(hyperparameter, key)))
        return hyperparameter

    return decode


def _condition(kind: type[BinaryOpCondition]) -> _Decoder:
    return lambda item, space, _: kind(space[item["child"]], space[item["parent"]], item["value"])


_HYPERPARAMETERS: dict[str, _Decoder] = {
    **HYPERPARAMETER_DECODERS,
    "categorical": _with_choices_as_they_are("choices", HYPERPARAMETER_DECODERS["categorical"]),
    "ordinal": _with_choices_as_they_are("sequence", HYPERPARAMETER_DECODERS["ordinal"]),
}
_CONDITIONS: dict[str, _Decoder] = {
    **CONDITION_DECODERS,
    "EQ": _condition(_Equals),
    "NEQ": _condition(_NotEquals),
    "LT": _condition(_LessThan),
    "GT": _condition(_GreaterThan),
    "IN": lambda item, space, _: _In(space[item["child"]], space[item["parent"]], item["values"]),
}
_FORBIDDENS: dict[str, _Decoder] = {
    **FORBIDDEN_DECODERS,
    "CLAUSE_LE": lambda item, space, _: _AtMost(space[item["name"]], item["value"]),
    "CLAUSE_GE": lambda item, space, _: _AtLeast(space[item["name"]], item["value"]),
}
_ENCODERS: dict[type, Any] = {
    _Equals: CONDITION_ENCODERS[EqualsCondition],
    _NotEquals: CONDITION_ENCODERS[NotEqualsCondition],
    _LessThan: CONDITION_ENCODERS[LessThanCondition],
    _GreaterThan: CONDITION_ENCODERS[GreaterThanCondition],
    _In: CONDITION_ENCODERS[InCondition],
    _AtMost: FORBIDDEN_ENCODERS[ForbiddenLessThanEqualsClause],
    _AtLeast: FORBIDDEN_ENCODERS[ForbiddenGreaterThanEqualsClause],
}
