from __future__ import annotations

import numpy as np

from metaopt.core.seeds import stream
from metaopt.tables.shrinkage import shrunk_means


def test_the_best_of_many_is_what_a_further_training_confirms() -> None:
    """Cells whose true errors differ by half of what their means are wrong by."""
    rng, raw, shrunk, fresh = stream(0, "shrinkage"), [], [], []
    for _ in range(300):
        truth = rng.normal(0.03, 0.001, 40)
        errors = rng.normal(truth[:, None], 0.0098, (40, 24))
        estimate = shrunk_means(errors)
        best = errors.mean(axis=1).argmin()
        raw.append(errors[best].mean())
        shrunk.append(estimate[best])
        fresh.append(rng.normal(truth[best], 0.0098, 24).mean())
    assert np.mean(fresh) - np.mean(raw) > 0.003
    assert abs(np.mean(fresh) - np.mean(shrunk)) < 0.0006


def test_means_that_are_sure_stay_and_those_that_differ_by_noise_alone_meet() -> None:
    sure = np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]])
    np.testing.assert_allclose(shrunk_means(sure), [0.1, 0.2, 0.3, 0.4])
    noise = np.array([[0.1, 0.3], [0.15, 0.27], [0.3, 0.11], [0.2, 0.2]])
    np.testing.assert_allclose(shrunk_means(noise), noise.mean())
    np.testing.assert_allclose(shrunk_means(np.full((4, 3), 0.5)), 0.5)
