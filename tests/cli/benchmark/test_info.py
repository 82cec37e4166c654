from __future__ import annotations

import pytest

from metaopt.cli import main


def test_info_prints_card_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "info", "digits"]) == 0
    out = capsys.readouterr().out
    for part in (
        *("licence:", "2685 cells x 3 seeds, after 1, 2, 4, 8 epochs", "predicted: none", "commit:"),
        *(
            "7773 cells x 1 to 24 seeds",
            "zero of the validation regret: 0.0262 ± 0.0014 (standard error), mean of 24 trainings",
            "a further training of it is expected to give 0.0288",
            "measured: all 7773 distinct cells",
            "6201 cells x 1 to 24 seeds",
            "measured: 6201 of 55854 distinct cells (11.1%)",
        ),
        *("predicted: the other 49653", "digits-3.surrogate.parquet"),
    ):
        assert part in out


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "info", "digit"]) == 2
    assert "unknown benchmark 'digit'; did you mean 'digits'" in capsys.readouterr().err
