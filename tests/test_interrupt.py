from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from metaopt.interrupt import Interrupt

TWICE = """
import os, signal, time
from metaopt.interrupt import Interrupt
with Interrupt() as interrupted:
    os.kill(os.getpid(), signal.SIGINT)
    assert interrupted()
    print("first", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_wish(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), number)
        assert interrupted()
    assert signal.getsignal(number) == before


def test_a_second_one_is_an_order() -> None:
    run = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=60)
    assert run.stdout == "first\n"
    assert run.returncode == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
