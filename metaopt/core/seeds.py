"""Named random streams: every use of randomness has its own seed, derived from the run, the trial and a name.

Nothing in metaopt draws from a global generator, so the streams do not depend on the order of evaluations, on the
number of workers or on Python's hash seed.
"""

from __future__ import annotations

import zlib

import numpy as np


def seed_sequence(*path: int | str) -> np.random.SeedSequence:
    """Returns the seed sequence at ``path``, e.g. ``seed_sequence(run_seed, trial_id, "weights")``.

    Args:
        path: Non-negative integers and names; a name counts by its CRC-32, so that it is the same in every process.
    """
    return np.random.SeedSequence([zlib.crc32(p.encode()) if isinstance(p, str) else int(p) for p in path])


def stream(*path: int | str) -> np.random.Generator:
    """Returns a NumPy generator for the stream at ``path``."""
    return np.random.default_rng(seed_sequence(*path))


def seed_integer(*path: int | str) -> int:
    """Returns a seed in [0, 2**32) for the stream at ``path``, for libraries that take one integer."""
    return int(seed_sequence(*path).generate_state(1)[0])
