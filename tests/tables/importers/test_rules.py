from __future__ import annotations

import numpy as np
import pytest

from metaopt.tables.importers.rules import check_hash, counting, differing, fingerprints, impossible, same_training
from tfrecords import CHAIN, FORK


def test_what_cannot_be() -> None:
    values = np.array([-0.1, 0.0, 0.5, 1.0, 1.1, np.nan, np.inf])
    assert impossible(values, "share").tolist() == [True, False, False, False, True, True, True]
    assert impossible(values, "seconds").tolist() == [True, True, False, False, False, True, True]


def test_a_hash_is_that_of_the_graph() -> None:
    check_hash(CHAIN.hash, CHAIN)
    with pytest.raises(ValueError, match=f"has the cell {CHAIN.key} with the hash {FORK.hash}; NAS-Bench-101's of it"):
        check_hash(FORK.hash, CHAIN)


def test_what_belongs_to_a_cell_is_the_same_everywhere() -> None:
    of_cell = np.array([0, 1, 0, 2, 1, 1])
    assert differing(of_cell, np.array([5, 6, 5, 7, 6, 6])) is None
    assert differing(of_cell, np.array([5, 6, 5, 7, 6, 9])) == (5, 1)
    assert differing(of_cell, np.array([5, 6, 4, 7, 8, 6])) == (2, 0)


def test_two_of_the_same_training_are_found_in_the_order_of_the_file() -> None:
    of_cell = np.array([0, 1, 0, 1, 0, 0])
    assert same_training(of_cell, np.array([1, 1, 2, 3, 4, 5], dtype=np.uint64)) is None
    assert same_training(of_cell, np.array([1, 3, 2, 3, 1, 2], dtype=np.uint64)) == (0, 4)


def test_fingerprints_are_equal_where_everything_is() -> None:
    rng = np.random.default_rng(0)
    grid = [rng.integers(3, size=2000) / 4 for _ in range(5)]
    rows = list(zip(*(column.tolist() for column in grid), strict=True))
    found = fingerprints(grid).tolist()
    assert len(set(zip(rows, found, strict=True))) == len(set(rows)) == len(set(found)) > 200


def test_few_cells_are_checked_without_a_word() -> None:
    said: list[tuple[object, ...]] = []
    assert list(counting(range(4000), lambda *of: said.append(of))) == list(range(4000))
    assert said == []
    assert sum(1 for _ in counting(range(10_000), lambda *of: said.append(of))) == 10_000
    assert said == [(4096, 10_000, "cells"), (8192, 10_000, "cells")]
