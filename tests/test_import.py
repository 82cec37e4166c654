"""The command line answers at once: help, errors and status must not wait for libraries they do not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "ConfigSpace",
    "dask",
    "distributed",
    "hpbandster",
    "jinja2",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "rich",
    "scipy",
    "sklearn",
    "statsmodels",
    "torch",
}


def loaded_after(code: str) -> set[str]:
    """Returns the top-level modules of a fresh process that has run ``code``."""
    script = f"import json, sys\n{code}\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def _command(*words: str) -> str:
    return f"import metaopt.cli\nassert metaopt.cli.main({list(words)}) == 0"


def test_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_after("import metaopt.cli") & HEAVY == set()


@pytest.mark.parametrize(
    "words",
    [
        "tun",
        "tune --optimiser darts",
        "tune --optimizer drats --budget 3",
        "tune --optimizer darts",
        "tune --optimizer darts --budget 3 --benchmark digit",
        "tune --optimizer darts --budget 3 --space dart",
        "baseline --tuner ramdom --budget 3",
        "search --optimizer drats",
        "correlate --optimizer drats",
        "compare none",
        "report none",
        "export none --to csv",
        "resume none",
        "space show dart",
        "tuner show bob",
        "optimizer show drats",
        "benchmark info digit",
        "benchmark import cvs none",
        "cluster check none.yaml",
    ],
)
def test_an_error_loads_nothing_heavy(words: str) -> None:
    assert loaded_after(f"import metaopt.cli\nassert metaopt.cli.main({words.split()}) == 2") & HEAVY == set()


@pytest.mark.parametrize("words", ["", "benchmark", "tuner list", "optimizer list", "completion bash"])
def test_what_shows_names_loads_nothing_heavy(words: str) -> None:
    assert loaded_after(_command(*words.split())) & HEAVY == set()


def test_the_benchmarks_load_no_table() -> None:
    assert loaded_after(_command("benchmark", "list")) & HEAVY <= {"numpy"}


LOOK_UPS = {
    "card": "import metaopt.tables.card",
    "look-up of a worker": (
        "from pathlib import Path\n"
        "from metaopt.cells.codec import cell_configuration_space\n"
        "from metaopt.cells.space import CELL_SPACES\n"
        "from metaopt.core.trial import Trial\n"
        "from metaopt.executors.base import Recipe, Task\n"
        "from metaopt.executors.evaluation import evaluate\n"
        "recipe = Recipe('metaopt.objectives.table:TableLookup', {'benchmark': 'digits', 'cell_space': 1})\n"
        "config = dict(cell_configuration_space(CELL_SPACES[1]).get_default_configuration())\n"
        "assert evaluate(Task(recipe, Trial(0, 0, config, 8, 0), Path('trial'))).status == 'ok'"
    ),
    "tuners": (
        "from metaopt.core.registry import load\n"
        "from metaopt.tuners import TUNERS\n"
        "assert [load(path) for path in TUNERS.values()]"
    ),
    "benchmark list": _command("benchmark", "list"),
    "benchmark info": _command("benchmark", "info", "digits"),
    "baseline": _command("baseline", "--tuner", "re", "--budget", "3", "--no-report"),
    "space list": _command("space", "list"),
}


@pytest.mark.parametrize("code", LOOK_UPS.values(), ids=LOOK_UPS)
def test_a_look_up_does_not_load_torch(code: str, tmp_path: Path) -> None:
    assert "torch" not in loaded_after(f"import os\nos.chdir({str(tmp_path)!r})\n{code}")


def test_the_gate_sees_what_is_loaded() -> None:
    assert {"numpy", "metaopt"} <= loaded_after("import metaopt.core.seeds")
