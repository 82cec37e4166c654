"""What a further training of the best of many cells is expected to give: less than the best mean says.

The lowest of many means is lucky. Shrunk towards the mean of all of them, it is not (James and Stein 1961; towards the
grand mean, Efron and Morris 1975, section 2).
"""

from __future__ import annotations

from metaopt.core.arrays import Floats


def shrunk_means(errors: Floats) -> Floats:
    """Returns the mean error of each of K cells, shrunk towards the mean of all for how little n trainings say.

    Args:
        errors: (K, n) in [0, 1]; at least four cells with at least two trainings each.

    Returns:
        (K,) in [0, 1].
    """
    cells, trainings = errors.shape
    means = errors.mean(axis=1)
    noise, spread = errors.var(axis=1, ddof=1).mean() / trainings, means.var(ddof=1)
    kept = max(0.0, 1 - (cells - 3) / (cells - 1) * noise / spread) if spread else 0.0
    shrunk: Floats = means.mean() + kept * (means - means.mean())
    return shrunk
