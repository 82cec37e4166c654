from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaopt.cells.graph import CellGraph
from metaopt.cells.space import CELL_SPACES
from metaopt.core.errors import ConfigError, RunError
from metaopt.ranking.study import RankingStudy, enumerated, open_folder
from metaopt.tables.card import load_card
from metaopt.tables.files import find_table
from metaopt.tables.table import Table

MakeStudy = Callable[..., RankingStudy]


@pytest.mark.parametrize(
    ("space", "cells", "chains"), [(1, 2685, 2127), pytest.param(2, 7773, 3258, marks=pytest.mark.slow)]
)
def test_the_published_enumeration_misses_cells(space: int, cells: int, chains: int) -> None:
    graphs = CELL_SPACES[space].distinct_graphs().values()
    assert len(graphs) == cells
    assert sum(map(enumerated, graphs)) == chains


def test_parallel_branches_are_missed() -> None:
    assert enumerated(CellGraph.from_key("101101:conv3x3:conv1x1"))  # 0-1, 1-2, 2-3 and 0-3
    assert not enumerated(CellGraph.from_key("110011:conv3x3:conv1x1"))  # 0-1-3 beside 0-2-3


def test_all_distinct_cells_or_a_sample_of_them(make_study: MakeStudy) -> None:
    every = [graph.hash for graph in make_study(sample=None).graphs]
    assert len(every) == 2685
    assert every == sorted(every)
    sample = [graph.hash for graph in make_study(sample=30).graphs]
    assert sample == [graph.hash for graph in make_study(sample=30, seeds=3).graphs]
    assert len(set(sample)) == 30
    assert sample == sorted(sample)
    assert [graph.hash for graph in make_study(sample=9999).graphs] == every


def test_cells_are_those_that_the_table_has(make_study: MakeStudy) -> None:
    table = Table(find_table(load_card("digits"), 3), 3)
    study = make_study(cell_space=3, sample=None)
    assert len(study.graphs) == len(table) < len(CELL_SPACES[3].distinct_graphs())
    assert all(graph in table for graph in study.graphs)


def test_defects_are_those_the_published_evaluation_has(make_study: MakeStudy) -> None:
    assert make_study().defects[0] == {"lost_edge": False, "soft_ops": False}
    assert len(make_study().defects) == 4
    assert [d["lost_edge"] for d in make_study(cell_space=3).defects] == [False, False]
    paths = make_study(optimizer="randomws")
    assert not paths.learns_averages
    assert [d["soft_ops"] for d in paths.defects] == [False, False]


def test_settings_are_the_defaults_but_for_what_is_given(make_study: MakeStudy) -> None:
    study = make_study(config={"learning_rate": 0.5})
    assert study.settings.learning_rate == 0.5
    assert study.settings.momentum == study.optimizer_class.Settings().momentum


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, r"epochs must be in \[1, 1000000\], got 0"),
        ({"seeds": 0}, r"seeds must be in \[1, 10000\], got 0"),
        ({"sample": 1}, "sample must be at least 2, got 1"),
        ({"at": ()}, "at is ''"),
        ({"at": (2,)}, "at is '2'; allowed: ascending epochs from 1 to the 1 of the search"),
        ({"at": (3, 2), "epochs": 5}, "at is '3,2'"),
        ({"at": (0, 2), "epochs": 5}, "at is '0,2'"),
        ({"optimizer": "drats"}, "unknown one-shot optimizer 'drats'; did you mean 'darts'"),
        ({"config": {"momentum": 2}}, "momentum must be in"),
        ({"config": {"lr": 2}}, "unknown hyperparameter 'lr'"),
    ],
)
def test_what_cannot_be_studied_is_refused(make_study: MakeStudy, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_study(**changes)


def test_a_folder_belongs_to_one_study(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    open_folder(make_study(), folder)
    open_folder(make_study(), folder)
    with pytest.raises(RunError, match=r"holds a ranking study with epochs 1 and not 2, at \[1\] and not \[2\]"):
        open_folder(make_study(epochs=2, at=(2,)), folder)


def test_a_folder_of_something_else_is_left_alone(make_study: MakeStudy, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(RunError, match="is not empty, and holds no ranking study"):
        open_folder(make_study(), tmp_path)
    with pytest.raises(RunError, match="cannot write a ranking study to"):
        open_folder(make_study(), tmp_path / "mine" / "folder")


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_damaged_study_is_refused(make_study: MakeStudy, tmp_path: Path, content: str) -> None:
    (tmp_path / "study.json").write_text(content)
    with pytest.raises(RunError, match="cannot be read: it is damaged"):
        open_folder(make_study(), tmp_path)
