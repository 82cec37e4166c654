from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metaopt.core.errors import ConfigError, RunError
from metaopt.oneshot.supernet.scoring import STATISTICS
from metaopt.ranking import scores
from metaopt.ranking.scores import (
    Scores,
    ScoringJob,
    make_search,
    parts,
    read_scores,
    score_all,
    score_part,
    write_scores,
)
from metaopt.ranking.study import RankingStudy

MakeStudy = Callable[..., RankingStudy]


def made_up(part: ScoringJob) -> Scores:
    study = part.study
    shape = (len(study.at), len(study.defects), len(study.graphs), 2)
    return Scores(part, np.random.default_rng(0).random(shape).astype(np.float32), ("w",) * len(study.at), 1.5)


def test_parts(make_study: MakeStudy, tmp_path: Path) -> None:
    found = parts(make_study(seeds=2), tmp_path)
    assert [(part.seed, part.statistics) for part in found] == [(s, kind) for s in (0, 1) for kind in STATISTICS]
    assert len({part.path for part in found}) == 10


def test_written_scores_are_read_again(make_study: MakeStudy, tmp_path: Path) -> None:
    part = parts(make_study(epochs=4, at=(2, 4)), tmp_path)[0]
    wrote = made_up(part)
    wrote.values[0, 0, 0] = 1.0, math.inf
    write_scores(wrote)
    read = read_scores(part)
    assert (read.values == wrote.values).all()
    assert (read.weights, read.cpu_s, read.part) == (wrote.weights, wrote.cpu_s, part)


def test_scores_that_cannot_be_read(make_study: MakeStudy, tmp_path: Path) -> None:
    part = parts(make_study(), tmp_path)[0]
    with pytest.raises(RunError, match=r"scores-s0-published\.parquet cannot be read"):
        read_scores(part)
    write_scores(made_up(part))
    with pytest.raises(RunError, match="it is of other cells"):
        read_scores(replace(part, study=make_study(sample=11)))
    part.path.write_bytes(part.path.read_bytes()[:-9])
    with pytest.raises(RunError, match="cannot be read"):
        read_scores(part)
    part.path.write_bytes(b"")
    with pytest.raises(RunError, match="cannot be read"):
        read_scores(part)


def test_a_study_goes_on_with_what_is_missing(
    make_study: MakeStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "score_part", lambda part: write_scores(made_up(part)))
    study, said = make_study(), []

    def three(function: Callable[[ScoringJob], None], todo: Sequence[ScoringJob]) -> Iterator[None]:
        return map(function, todo[:3])

    score_all(study, tmp_path, three, lambda *numbers: said.append(numbers))
    score_all(study, tmp_path, map, lambda *numbers: said.append(numbers))
    assert said == [(0, 5), (1, 5), (2, 5), (3, 5), (3, 5), (4, 5), (5, 5)]
    assert all(part.path.exists() for part in parts(study, tmp_path))


def test_a_part_is_trained_and_scored(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(epochs=2, at=(1, 2), sample=3)
    published, running = parts(study, tmp_path)[:2]
    for part in (published, running):
        score_part(part)
    first, second = read_scores(published), read_scores(running)
    assert first.values.shape == (2, 4, 3, 2)
    assert first.weights == second.weights
    assert len(set(first.weights)) == 2
    assert (first.values[..., 1] != second.values[..., 1]).any()
    assert first.cpu_s > 0
    score_part(published)
    again = read_scores(published)
    assert (again.values == first.values).all()
    assert again.weights == first.weights


def test_single_paths_are_scored_for_random_ws(make_study: MakeStudy, tmp_path: Path) -> None:
    part = parts(make_study(optimizer="randomws", config={"candidates": 2, "finalists": 1}, sample=3), tmp_path)[3]
    score_part(part)
    assert read_scores(part).values.shape == (1, 2, 3, 2)


def test_nothing_is_recalibrated_while_it_trains(make_study: MakeStudy, tmp_path: Path) -> None:
    for part in parts(make_study(), tmp_path):
        search = make_search(part)
        assert search.supernet.scale.batch_norm == "running"
        momentum = {"published": 0.997, "pytorch": 0.1}.get(part.statistics, 0.003)
        assert search.supernet.stem[1].momentum == momentum


def test_a_search_that_cannot_be(make_study: MakeStudy, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch_size 500 does not fit"):
        make_search(parts(make_study(config={"batch_size": 500}), tmp_path)[0])
    with pytest.raises(ConfigError, match="device 'gpu' is not there"):
        make_search(parts(make_study(device="gpu"), tmp_path)[0])


def test_a_search_that_diverges(make_study: MakeStudy, tmp_path: Path) -> None:
    config = {"learning_rate": 1e30, "grad_clip": 1e30}
    part = parts(make_study(config=config, epochs=3, at=(3,)), tmp_path)[0]
    with pytest.raises(ConfigError, match="the search with seed 0 fails: the training loss is"):
        score_part(part)
    assert not part.path.exists()
