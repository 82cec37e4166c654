"""The command line answers at once: help, errors and status must not wait for libraries they do not need."""

from __future__ import annotations

import json
import subprocess
import sys

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


def test_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_after("import metaopt.cli") & HEAVY == set()


def test_an_error_loads_nothing_heavy() -> None:
    assert loaded_after("import metaopt.cli\nmetaopt.cli.main(['tune', '--optimiser', 'darts'])") & HEAVY == set()


def test_the_gate_sees_what_is_loaded() -> None:
    assert {"numpy", "metaopt"} <= loaded_after("import metaopt.core.seeds")
