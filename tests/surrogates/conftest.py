"""Real cells for the tests of surrogates."""

from __future__ import annotations

import numpy as np
import pytest

from metaopt.core.seeds import stream
from metaopt.surrogates.measured import Measured, measured
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table


@pytest.fixture(scope="session")
def digits_cells() -> Measured:
    """160 cells of digits with three trainings each."""
    whole = measured(find_table(load_card("digits"), 1), 1)
    return whole.select(np.sort(stream(1, "cells of tests").permutation(len(whole.cells))[:160]))
