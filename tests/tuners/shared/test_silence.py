from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metaopt.core.trial import Result
from metaopt.spaces.space import load_space
from metaopt.tuners.shared.silence import silenced
from tuning import new


def test_mutes_loggers_below_the_package_and_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with silenced("noisy"):
        logging.getLogger("noisy.deep.inside").error("not to be seen")
        logging.getLogger("other").error("seen")
        warnings.warn("not to be seen", stacklevel=1)
        assert np.isinf(np.float64(1.0) / np.float64(0.0))
    assert caplog.messages == ["seen"]


def test_all_is_as_before_afterwards_even_after_an_error() -> None:
    logging.getLogger("noisy").setLevel(logging.INFO)
    filters, complaints = list(warnings.filters), np.geterr()
    with pytest.raises(KeyError), silenced("noisy"):
        raise KeyError
    assert logging.getLogger("noisy").level == logging.INFO
    assert (warnings.filters, np.geterr()) == (filters, complaints)


@pytest.mark.parametrize(
    ("package", "name", "options"), [("smac", "smac", {"challengers": 20, "n_initial": 4}), ("optuna", "tpe", {})]
)
def test_a_tuner_at_work_is_silent_and_leaves_no_files_and_loggers_alone(
    package: str,
    name: str,
    options: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    level, handlers = logging.getLogger(package).level, list(logging.getLogger().handlers)
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        tuner = new(name, load_space("darts"), **options)
        for trial in tuner.ask(12):
            tuner.tell(Result(trial.id, "ok", 0.5) if trial.id % 2 else Result(trial.id, "crashed"))
        assert any(trial.memo["model_based"] for trial in tuner.ask(3))
    assert not caught
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert (logging.getLogger(package).level, list(logging.getLogger().handlers)) == (level, handlers)
    assert list(tmp_path.iterdir()) == []
