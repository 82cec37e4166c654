"""Whether the tables and images of the benchmarks are there and whole."""

from __future__ import annotations

from functools import partial

from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ImageError, MetaoptError, TableError
from metaopt.doctor.checks import Check, Finding
from metaopt.images import load_images
from metaopt.tables.card import Card, card_names, load_card
from metaopt.tables.files import find_predictions, find_table
from metaopt.tables.predictions import Predictions
from metaopt.tables.table import Table


def benchmarks() -> dict[str, Check]:
    """Returns the checks of every benchmark: of its table for each cell space, and of its images."""
    checks: dict[str, Check] = {}
    for name in card_names():
        for space in CELL_SPACES:
            checks[f"table {name} {space}"] = partial(table, name, space)
        checks[f"images {name}"] = partial(images, name)
    return checks


def table(benchmark: str, cell_space: int) -> Finding:
    """Whether the table of a benchmark is there, whole and complete; one that is not there is only missed if used."""
    card = load_card(benchmark)
    try:
        path = find_table(card, cell_space)
    except TableError as error:
        return Finding("warning", "none", error.hint)
    try:
        there = Table(path, cell_space)
        there.optimum()
        measured, distinct = len(there), CELL_SPACES[cell_space].n_distinct
        return Finding("ok", f"{path}: {measured} of {distinct} cells{_surrogate(card, cell_space)}")
    except TableError as error:
        return Finding("problem", error.message, error.hint)


def _surrogate(card: Card, cell_space: int) -> str:
    path = find_predictions(card, cell_space)
    return "" if path is None else f", a surrogate predicts {len(Predictions(path))}"


def images(benchmark: str) -> Finding:
    """Whether the images of a benchmark are there; those that are not shipped are only missed if they are used."""
    name = load_card(benchmark).text["images"]
    try:
        data = load_images(name)
    except ImageError as error:
        return Finding("warning", error.message, error.hint)
    except MetaoptError as error:
        return Finding("problem", error.message, error.hint)
    return Finding("ok", f"{name}: {len(data.train[1])} training images")
