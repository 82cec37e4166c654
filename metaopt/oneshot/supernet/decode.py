"""Cells in the order in which an architecture of independent choices would have them, the strongest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from metaopt.cells.space import Cell, CellSpace
from metaopt.oneshot.supernet.mix import MIXED_OPS

Choice = TypeVar("Choice")
Parents = tuple[int, ...]
#: Taken off the score of what was decided against for good: it comes after all that was not.
_CLOSED = 1e6


def best_first(options: Sequence[Mapping[Choice, float]]) -> Iterator[tuple[Choice, ...]]:
    """Yields one choice out of each mapping, all combinations, by the sum of their scores; memory grows as it goes.

    Args:
        options: Scores by choice; of equal scores the earlier one comes first.
    """
    ranked = [sorted(scores.items(), key=itemgetter(1), reverse=True) for scores in options]

    def total(places: tuple[int, ...]) -> float:
        return sum(row[place][1] for row, place in zip(ranked, places, strict=True))

    # Every combination is reached once: from the one in which its last choice that is not the best is better by one.
    start = (0,) * len(ranked)
    heap = [(-total(start), start, 0)]
    while heap:
        _, places, last = heapq.heappop(heap)
        yield tuple(row[place][0] for row, place in zip(ranked, places, strict=True))
        for at in range(last, len(ranked)):
            if places[at] + 1 < len(ranked[at]):
                worse = (*places[:at], places[at] + 1, *places[at + 1 :])
                heapq.heappush(heap, (-total(worse), worse, at))


def cells_by_strength(
    cell_space: CellSpace, ops: Sequence[Sequence[float]], parents: Sequence[Mapping[Parents, float]]
) -> Iterator[Cell]:
    """Yields all cells of a space by the sum of their choices' scores.

    Args:
        cell_space: The cell space.
        ops: (n, 3) scores of the operations of each block, columns as :data:`metaopt.oneshot.supernet.mix.MIXED_OPS`.
        parents: For nodes 1..n and the output, the scores of every set of parents.
    """
    options: list[dict[Any, float]] = [dict(zip(MIXED_OPS, row, strict=True)) for row in ops]
    options += map(dict, parents)
    for choices in best_first(options):
        yield Cell(tuple(choices[cell_space.n_nodes :]), tuple(choices[: cell_space.n_nodes]))


def parent_scores(choices: Sequence[Parents], row: Sequence[float]) -> dict[Parents, float]:
    """Returns the score of every set of parents, the sum of theirs: the best set is that of the largest ones."""
    return {choice: sum(row[parent] for parent in choice) for choice in choices}


def reopened(row: Sequence[float], closed: Sequence[bool]) -> list[float]:
    """Returns the scores of a row in which what is closed comes last, and is not out of reach."""
    return [score - _CLOSED if shut else score for score, shut in zip(row, closed, strict=True)]
