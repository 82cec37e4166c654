from __future__ import annotations

from metaopt.core.trial import Result
from metaopt.spaces.space import load_space
from metaopt.tuners.base import Problem
from metaopt.tuners.bohb import BOHB
from metaopt.tuners.hyperband import Hyperband


def test_is_bohb_without_its_model() -> None:
    """The same brackets and budgets, ask by ask, whatever the configurations are."""
    tuners = [
        tuner(Problem(load_space("darts_cs2"), 1, 3, 27), **options)
        for tuner, options in ((Hyperband, {}), (BOHB, {"num_samples": 2}))
    ]
    from_model = 0
    for _ in range(60):
        one, other = (tuner.ask()[0] for tuner in tuners)
        assert (one.key, one.epochs, one.memo["bracket"]) == (other.key, other.epochs, other.memo["bracket"])
        assert one.memo["model_based"] is False
        from_model += other.memo["model_based"]
        for tuner in tuners:
            tuner.tell(Result(one.id, "ok", valid_error=one.seed / 2**32))
    assert from_model > 5
