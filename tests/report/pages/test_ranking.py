from __future__ import annotations

import re
from pathlib import Path

import pytest

from metaopt.core.errors import RunError
from metaopt.report.pages.ranking import render_ranking, write_ranking
from rankings import made_up_record


def test_the_page() -> None:
    files = render_ranking(made_up_record(at=(2, 5)))
    page = files["README.md"].decode()
    assert page.startswith("`metaopt correlate --optimizer darts`\n")
    for part in (
        "# How well darts supernets rank the cells of digits, cell space 1",
        "2 supernets, seeds from 0, searched for 5 epochs and scored after 2 and 5",
        "Hyperparameters: learning_rate 0.025.",
        "60 distinct cells, of which the published enumeration has 45.",
        "0.9000 over all cells, 0.8000 over enumerated cells",
        "## What each defect does",
        "The weights of one seed are equal",
    ):
        assert part in page
    shown = re.findall(r"\]\((figures/.*?)\)", page)
    assert len(shown) == 3
    assert set(shown) <= set(files)
    assert {"measures.csv", "figures/spearman.png"} <= set(files)


def test_the_same_record_makes_the_same_files() -> None:
    record = made_up_record()
    assert render_ranking(record) == render_ranking(record)


def test_one_epoch_has_no_figure_over_epochs() -> None:
    assert "figures/spearman-over-epochs.svg" not in render_ranking(made_up_record())


def test_weights_that_are_not_equal_are_said() -> None:
    page = render_ranking({**made_up_record(), "same_weights": False})["README.md"].decode()
    assert "not equal in all kinds of statistics" in page


def test_a_table_of_one_repeat_has_no_rank_of_its_own() -> None:
    page = render_ranking({**made_up_record(), "ceiling": {"all": None, "enumerated": None}})["README.md"].decode()
    assert "How well the table ranks its own cells is unknown." in page
    assert "no score can be expected" not in page


def test_it_is_written(tmp_path: Path) -> None:
    record = made_up_record()
    page = write_ranking(record, tmp_path / "page")
    assert page == tmp_path / "page" / "report.html"
    for name, content in render_ranking(record).items():
        assert (tmp_path / "page" / name).read_bytes() == content
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written to"):
        write_ranking(record, tmp_path / "file" / "page")


def test_one_supernet_is_one_and_a_short_time_is_in_seconds() -> None:
    page = render_ranking({**made_up_record(seeds=1), "cpu_s": 12.0})["README.md"].decode()
    assert "1 supernet, seed 0, searched for" in page
    assert "It took 12 CPU seconds" in page
