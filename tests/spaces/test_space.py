from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import (
    AndConjunction,
    ConfigurationSpace,
    EqualsCondition,
    GreaterThanCondition,
    OrdinalHyperparameter,
)
from ConfigSpace.hyperparameters import FloatHyperparameter, IntegerHyperparameter

from metaopt.core.errors import ConfigError
from metaopt.oneshot import ONESHOT
from metaopt.spaces.space import (
    check_config,
    default_with,
    exact,
    load_space,
    plain,
    space_from_json,
    space_names,
    space_to_json,
)

# Range, log scale and default of NAS-Bench-1Shot1's hyperparameters; None: published without a default.
PUBLISHED: dict[str, tuple[float, float, bool, float | None]] = {
    "weight_decay": (1e-5, 1e-3, True, 3e-4),
    "cutout_prob": (0.0, 1.0, False, 0.0),
    "learning_rate": (1e-3, 1.0, True, 0.025),
    "arch_learning_rate": (1e-5, 1e-2, True, None),
    "arch_weight_decay": (1e-4, 1e-1, True, None),
    "momentum": (0.0, 0.99, False, None),
    "cutout_length": (2, 32, True, None),
    "batch_size": (16, 128, False, None),
    "grad_clip": (1, 9, False, None),
}
INTEGERS = {"cutout_length", "batch_size", "grad_clip"}
METHOD_DEFAULTS = {
    "weight_decay": 3e-4,
    "learning_rate": 0.025,
    "arch_learning_rate": 3e-4,
    "arch_weight_decay": 1e-3,
    "momentum": 0.9,
    "batch_size": 96,
    "grad_clip": 5,
    "cutout": False,
}


def default_of(space: ConfigurationSpace) -> dict[str, Any]:
    return plain(space.get_default_configuration())


def test_names_are_the_shipped_files_in_order() -> None:
    assert space_names() == sorted(space_names())
    published = {f"{optimizer}_cs{i}" for optimizer in ("darts", "gdas", "pcdarts") for i in (1, 2, 3)}
    assert {*ONESHOT, *published} <= set(space_names())


@pytest.mark.parametrize("name", space_names())
def test_every_hyperparameter_has_unit_and_source(name: str) -> None:
    space = load_space(name)
    assert space.name == name
    for hyperparameter in space.values():
        assert hyperparameter.meta is not None
        assert set(hyperparameter.meta) == {"unit", "source"}
        assert all(isinstance(text, str) and text for text in hyperparameter.meta.values())


@pytest.mark.parametrize("name", space_names())
def test_default_is_legal(name: str) -> None:
    space = load_space(name)
    check_config(space, default_of(space))


def test_published_spaces_are_nested() -> None:
    first, second, third = (set(load_space(f"darts_cs{i}")) for i in (1, 2, 3))
    assert first == {"weight_decay", "cutout_prob"}
    assert first < second == first | {"learning_rate"}
    assert second < third == set(PUBLISHED)


@pytest.mark.parametrize("name", [name for name in space_names() if "_cs" in name])
def test_published_ranges(name: str) -> None:
    space = load_space(name)
    assert not space.conditions
    for hyperparameter in space.values():
        lower, upper, log, default = PUBLISHED[hyperparameter.name]
        assert isinstance(hyperparameter, (FloatHyperparameter, IntegerHyperparameter))
        assert isinstance(hyperparameter, IntegerHyperparameter) == (hyperparameter.name in INTEGERS)
        assert (hyperparameter.lower, hyperparameter.upper, hyperparameter.log) == (lower, upper, log)
        assert default is None or hyperparameter.default_value == default


def test_defaults_of_space_3_are_configspaces_where_none_was_published() -> None:
    data = space_to_json(load_space("darts_cs3"))
    for item in data["hyperparameters"]:
        if PUBLISHED[item["name"]][3] is None:
            del item["default_value"]
    assert default_of(space_from_json(data)) == default_of(load_space("darts_cs3"))


def test_default_space_has_the_methods_defaults_and_a_gate() -> None:
    space = load_space("darts")
    assert default_of(space) == METHOD_DEFAULTS
    assert set(space) == {*PUBLISHED, "cutout"}
    gated = {condition.child.name for condition in space.conditions}
    assert gated == {"cutout_prob", "cutout_length"}
    check_config(space, METHOD_DEFAULTS | {"cutout": True, "cutout_prob": 1.0, "cutout_length": 4})


def test_off_has_mass_in_the_default_space() -> None:
    space = load_space("darts")
    space.seed(0)
    off = sum(not config["cutout"] for config in space.sample_configuration(200))
    assert 60 < off < 140


def test_a_file_extends_a_shipped_space(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nextends: darts2\nhyperparameters:\n- {name: momentum, type: constant, value: 0.5}\n"
        "- {name: own, type: uniform_float, lower: 0, upper: 1}\n"
    )
    mine, base = load_space(path), load_space("darts2")
    assert mine.name == "mine"
    assert set(mine) == {*base, "own"}
    assert mine["momentum"].default_value == 0.5
    assert len(mine.conditions) == len(base.conditions) > 0


def test_a_file_extends_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: dart\nhyperparameters: []\n")
    with pytest.raises(ConfigError, match=r"mine.yaml: unknown space in extends: 'dart'; did you mean 'darts'"):
        load_space(path)


def test_unknown_name_says_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown space 'dart'; did you mean 'darts'") as caught:
        load_space("dart")
    assert "metaopt space list" in caught.value.hint


def test_users_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("hyperparameters:\n- {name: rate, type: uniform_float, lower: 1.0e-3, upper: 1}\n")
    assert list(load_space(path)) == list(load_space(str(path))) == ["rate"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hyperparameters: [\n", "mine.yaml, line 2, column 1"),
        ("hyperparameters:\n- {name: rate, type: uniform_float, lower: 1e-3, upper: 1}\n", "YAML reads 1e-3 as text"),
        ("hyperparameters: []\n", "mine.yaml: a space needs at least one hyperparameter"),
        (
            "hyperparameters:\n- {name: a, type: categorical, choices: [x, y]}\n- {name: b, type: constant, value: 1}\n"
            "conditions:\n- {type: EQ, child: b, parent: a, value: z}\n",
            "mine.yaml: condition on 'b' depends on 'z', which 'a' cannot be",
        ),
    ],
)
def test_bad_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_space(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_space(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", space_names())
def test_space_survives_json(name: str) -> None:
    space = load_space(name)
    data = json.loads(json.dumps(space_to_json(space)))
    before = json.dumps(data)
    assert space_from_json(data) == space
    assert json.dumps(data) == before, "the caller's dict was changed"


def test_plain_has_python_values_of_active_hyperparameters() -> None:
    space = load_space("darts")
    space.seed(1)
    for config in space.sample_configuration(50):
        values = plain(config)
        assert {type(value) for value in values.values()} <= {int, float, bool}
        assert ("cutout_length" in values) == values["cutout"]
    assert plain({"a": np.str_("x"), "b": np.bool_(True)}) == {"a": "x", "b": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"momentm": 0.5}, "unknown hyperparameter 'momentm'; did you mean 'momentum'"),
        ({"momentum": 1.5}, "momentum cannot be 1.5; allowed: .*0.99"),
        ({"momentum": "0.5"}, "momentum cannot be '0.5'"),
        ({"momentum": float("nan")}, "momentum cannot be nan"),
        ({"momentum": True}, "momentum cannot be True"),
        ({"batch_size": 96.0}, "batch_size cannot be 96.0"),
        ({"cutout": 0}, "cutout cannot be 0"),
        ({"cutout_prob": 0.5}, "inactive but has a value"),
        ({"cutout": True}, "active but has no value"),
        ({"momentum": None}, "momentum cannot be None"),
    ],
)
def test_check_config_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_config(load_space("darts"), METHOD_DEFAULTS | change)


def test_check_config_refuses_a_missing_hyperparameter() -> None:
    with pytest.raises(ConfigError, match=r"active but has no value set\. momentum"):
        check_config(load_space("darts"), {k: v for k, v in METHOD_DEFAULTS.items() if k != "momentum"})


def test_check_config_takes_constants_and_ordinals() -> None:
    space = ConfigurationSpace({"cells": 3})
    space.add(OrdinalHyperparameter("width", [8, 16]))
    check_config(space, {"cells": 3, "width": 16})
    with pytest.raises(ConfigError, match="cells cannot be 4"):
        check_config(space, {"cells": 4, "width": 16})
    with pytest.raises(ConfigError, match="width cannot be 12"):
        check_config(space, {"cells": 3, "width": 12})


def test_a_changed_default_has_what_the_change_switches_on() -> None:
    space = load_space("darts")
    assert default_with(space, {}) == default_of(space)
    assert "cutout_prob" not in default_with(space, {"momentum": 0.5})
    changed = default_with(space, {"cutout": True, "cutout_length": 2, "learning_rate": 1e30, "cell_every": 3})
    assert changed == {
        **default_of(space),
        "cutout": True,
        "cutout_length": 2,
        "cutout_prob": 1.0,
        "learning_rate": 1e30,
        "cell_every": 3,
    }
    assert type(changed["cutout_prob"]) is float


def test_a_value_without_an_effect_is_refused() -> None:
    with pytest.raises(ConfigError, match="cutout_prob has no effect: it counts only where cutout == True"):
        default_with(load_space("darts"), {"cutout_prob": 0.5})


def test_conditions_may_have_several_parents() -> None:
    space = ConfigurationSpace({"a": [0, 1], "b": [0, 1], "c": (0.0, 1.0), "d": (0.0, 1.0)})
    both = AndConjunction(EqualsCondition(space["c"], space["a"], 1), EqualsCondition(space["c"], space["b"], 1))
    space.add(both, GreaterThanCondition(space["d"], space["c"], 0.7))
    assert default_with(space, {}) == {"a": 0, "b": 0}
    assert default_with(space, {"a": 1, "b": 1}) == {"a": 1, "b": 1, "c": 0.5}
    assert default_with(space, {"a": 1, "b": 1, "c": 0.8}) == {"a": 1, "b": 1, "c": 0.8, "d": 0.5}
    with pytest.raises(ConfigError, match=r"d has no effect: it counts only where c > 0\.7"):
        default_with(space, {"d": 0.1})
    with pytest.raises(ConfigError, match=r"c has no effect: it counts only where \(a == 1 && b == 1\)"):
        default_with(space, {"a": 1, "c": 0.1})


def relations(*orders: str) -> dict[str, Any]:
    both = [{"name": name, "type": "uniform_float", "lower": 0, "upper": 1} for name in "xy"]
    return {
        "name": "narrow",
        "hyperparameters": both,
        "forbiddens": [{"type": f"RELATION_{order}", "left": "x", "right": "y"} for order in orders],
    }


def test_a_space_without_room_is_refused_with_the_share_of_legal_draws(tmp_path: Path) -> None:
    message = "space narrow leave almost nothing: of 10000 random configurations 0 were legal"
    with pytest.raises(ConfigError, match=message):
        space_from_json(relations("LT", "GT"))
    with pytest.raises(ConfigError, match=message):
        exact(ConfigurationSpace.from_serialized_dict(relations("LT", "GT")))
    path = tmp_path / "narrow.yaml"
    path.write_text(json.dumps(relations("LT", "GT")))
    with pytest.raises(ConfigError, match=f"narrow.yaml: .*{message}"):
        load_space(path)
    assert len(space_from_json(relations("LT"))) == 2


def test_any_space_becomes_an_exact_copy() -> None:
    space = ConfigurationSpace("theirs", space={"a": [0, 0.5], "b": (1, 5)})
    copy = exact(space)
    assert space_to_json(copy) == space_to_json(space)
    copy.seed(0)
    assert {type(config["a"]) for config in copy.sample_configuration(20)} == {int, float}
    assert exact(copy) is not copy
