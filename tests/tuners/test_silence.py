from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

from metaopt.tuners.silence import silenced


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
