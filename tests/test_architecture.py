"""What holds for the source text of the whole project; the checks themselves are in gates.py."""

from __future__ import annotations

from pathlib import Path

import pytest

import gates
from gates import Module, modules_of

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"

#: What stands on a line may import from lower lines; groups on one line know nothing of each other.
LAYERS = (
    [{"__main__"}],
    [{"cli"}],
    [{"testing"}],
    [{"report"}, {"studies"}, {"ranking"}, {"doctor"}],
    [{"runs"}],
    [{"executors"}],
    [{"objectives"}, {"surrogates"}],
    [{"oneshot"}, {"tables"}, {"recorded"}],
    [{"images"}, {"cells"}, {"tuners"}],
    [{"spaces"}],
    [{"settings"}],
    [{"__init__"}],
    [{"core"}],
)

#: Lower rooms, and modules in them, that a room must do without all the same.
FORBIDDEN = {
    "report": {"executors", "objectives", "oneshot", "tables", "tuners"},  # it reads journals only
    "oneshot": {"core.trial", "spaces", "core.paths"},  # it takes a settings dataclass
    "tuners": {"core.paths", "core.yaml_file", "spaces.file"},  # they know no files
}

#: Packages of others, and of Python itself, that a unit must not know.
FOREIGN = {
    "tuners": {"datetime", "os", "pathlib", "threading", "time", "torch"},
    "oneshot": {"ConfigSpace", "dask", "distributed", "hpbandster", "optuna", "smac"},
    "report": {"dask", "distributed", "hpbandster", "smac", "torch"},
    "cells": {"dask", "distributed", "torch"},
    "core": {"ConfigSpace", "dask", "distributed", "torch"},
    "settings": {"ConfigSpace", "dask", "distributed", "torch"},
}

#: Modules without a test file of their own, and why.
UNTESTED = {
    "metaopt.__main__": "two lines that test_cli.py and test_wheel.py run",
    "metaopt.core.arrays": "a name of a type",
    "metaopt.executors.dask.clusters.base": "a record, and one line that executors/dask/clusters/test_contract.py runs",
    "metaopt.executors.dask.clusters.local": "executors/dask/clusters/test_contract.py runs it",
    "metaopt.executors.base": "abstract; executors/test_contract.py runs all of it",
    "metaopt.oneshot.base": "abstract; oneshot/test_contract.py runs all of it",
    "metaopt.surrogates.base": "abstract; surrogates/test_contract.py runs all of it",
    "metaopt.testing": "suites that every test_contract.py runs",
}

#: Modules that may use what is unsafe elsewhere, and why.
UNSAFE: dict[str, str] = {}

#: Modules that may look at the clock that people and networks set, and why.
WALL_CLOCK = {
    "metaopt.runs.plan": "says in the journal's header when the run was started; nothing reads it",
    "metaopt.runs.search": "the same in the record of a search",
}

#: Modules that may touch NumPy's global generator, and why.
GLOBAL_RANDOMNESS = {
    "metaopt.tuners.bohb": "hpbandster draws from it; swapped in and out around every call",
    "metaopt.testing.objective_contract": "asserts that objectives leave it alone",
    "metaopt.testing.tuner_contract": "asserts that tuners leave it alone",
}


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    return modules_of(ROOT / "metaopt")


def files() -> list[Path]:
    return [*(ROOT / "metaopt").rglob("*.py"), *TESTS.rglob("*.py")]


def test_no_import_cycle(modules: dict[str, Module]) -> None:
    assert gates.cycles(modules) == []


def test_imports_go_one_way(modules: dict[str, Module]) -> None:
    assert gates.layer_breaks(modules, LAYERS, FORBIDDEN) == []


def test_units_know_no_more_than_they_should(modules: dict[str, Module]) -> None:
    assert gates.foreign_imports(modules, FOREIGN) == []


def test_no_import_of_ours_inside_a_function(modules: dict[str, Module]) -> None:
    # Commands import what takes seconds when they need it: help and mistakes are answered at once.
    assert gates.hidden_imports(modules, allowed={"cli"}) == []


def test_folders_can_be_taken_in_at_a_glance(modules: dict[str, Module]) -> None:
    assert gates.crowded(modules, in_root=12, in_folder=25) == []


def test_sizes() -> None:
    assert gates.oversized(files(), module_lines=400, function_lines=60) == []


def test_optimizers_hold_only_what_makes_them_themselves(modules: dict[str, Module]) -> None:
    registered = gates.registries(modules)["metaopt.oneshot", "ONESHOT"]
    paths = {modules[path.partition(":")[0]].path for path in registered.values()}
    assert gates.twins(paths, share=0.4) == []


def test_every_module_has_its_tests(modules: dict[str, Module]) -> None:
    assert gates.untested(modules, TESTS, UNTESTED) == []


def test_every_registered_name_is_in_a_contract_test(modules: dict[str, Module]) -> None:
    assert {variable for _, variable in gates.registries(modules)} >= {
        "CLUSTERS",
        "EXECUTORS",
        "OBJECTIVES",
        "ONESHOT",
        "SURROGATES",
        "TUNERS",
    }
    assert gates.without_contract(modules, TESTS) == []


def test_no_global_randomness(modules: dict[str, Module]) -> None:
    assert gates.global_randomness(modules, GLOBAL_RANDOMNESS) == []


def test_nothing_depends_on_the_clock_on_the_wall(modules: dict[str, Module]) -> None:
    assert gates.wall_clock(modules, WALL_CLOCK) == []


def test_nothing_unsafe(modules: dict[str, Module]) -> None:
    assert gates.unsafe(modules, UNSAFE) == []
