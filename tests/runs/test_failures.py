from __future__ import annotations

import pytest

from metaopt.core.trial import Result
from metaopt.runs.failures import FirstFailures


def counted(*results: Result, most: int = 2, succeeded: bool = False) -> FirstFailures:
    failures = FirstFailures(most, succeeded)
    for result in results:
        failures.told(result)
    return failures


def crash(reason: str) -> Result:
    return Result(0, "crashed", reason=reason)


@pytest.mark.parametrize(
    ("results", "hopeless"),
    [
        ([crash("KeyError: 1"), crash("KeyError: 2")], True),
        ([crash("KeyError: 1"), crash("ValueError: 1")], False),
        ([crash("a: 1"), crash("b: 1"), crash("b: 2")], True),
        ([crash("a"), Result(0, "stopped", reason="a"), crash("a")], True),
        ([crash("a"), Result(0, "timeout", reason="a")], False),
        ([crash("a"), Result(0, "ok", 0.5), crash("a"), crash("a")], False),
        ([], False),
    ],
)
def test_equal_failures_in_a_row_and_no_success(results: list[Result], hopeless: bool) -> None:
    assert counted(*results).hopeless is hopeless
    assert not counted(*results, most=0).hopeless
    assert not counted(*results, succeeded=True).hopeless


def test_the_message_says_what_failed_and_what_to_do() -> None:
    error = counted(crash("a: 1"), crash(f"a: {'x' * 100_000}")).error("metaopt resume 'a b'")
    assert "2 evaluations in a row failed in the same way" in error.message
    assert len(error.message) < 1000
    assert "metaopt resume 'a b'; with --stop-after-failures 0" in error.hint
