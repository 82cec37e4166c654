from __future__ import annotations

from metaopt.report.data.regret import regret_name, regret_note


def test_a_regret_where_an_optimum_is_known() -> None:
    assert regret_name([0.1, 0.2]) == regret_name([]) == "test regret"
    assert regret_note([0.1]).endswith("minus the lowest test error of any cell in the table")


def test_an_error_where_none_is() -> None:
    assert regret_name([None, None]) == "test error"
    assert "minus" not in regret_note([None])
    assert "unknown" in regret_note([None])


def test_both() -> None:
    assert regret_name([0.1, None]) == "test regret"
    assert regret_note([None, 0.1]).endswith("or the test error itself where that is unknown")
