from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import harness
from metaopt.core.interrupt import SIGNALS, Interrupt

TWICE = """
import os, sys, time
from metaopt.core.interrupt import Interrupt
with Interrupt() as interrupted:
    os.kill(os.getpid(), int(sys.argv[1]))
    assert interrupted()
    print("first", flush=True)
    os.kill(os.getpid(), int(sys.argv[2]))
    time.sleep(600)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_a_wish(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), number)
        assert interrupted()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_one_is_an_order(first: signal.Signals, second: signal.Signals) -> None:
    """Whichever it is: a batch system sends SIGUSR2 ahead and SIGTERM later."""
    command = [sys.executable, "-c", TWICE, str(int(first)), str(int(second))]
    run = subprocess.run(command, capture_output=True, text=True, timeout=harness.HANG_S)
    assert run.stdout == "first\n"
    assert run.returncode == -second


def test_to_go_on_after_a_stop_is_no_signal_to_stop() -> None:
    """SLURM sends SIGCONT along with the others."""
    with Interrupt() as interrupted:
        os.kill(os.getpid(), signal.SIGCONT)
        assert not interrupted()


def test_the_signals_of_batch_systems_are_among_them() -> None:
    assert set(SIGNALS) == {signal.SIGINT, signal.SIGTERM, signal.SIGUSR2}


@pytest.mark.parametrize("number", SIGNALS)
def test_at_once(number: signal.Signals) -> None:
    with Interrupt() as interrupted:
        with pytest.raises(KeyboardInterrupt), interrupted.at_once():
            signal.raise_signal(number)
        assert interrupted()


def test_a_wish_that_came_before_is_not_forgotten() -> None:
    with Interrupt() as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interrupted.at_once():
            pytest.fail("it begins")
