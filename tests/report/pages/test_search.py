from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metaopt.core.errors import RunError
from metaopt.report.pages.search import render_search, write_search

CHAIN, FORK, TWIN = "111:conv3x3", "110011:conv3x3:conv1x1", "110011:conv1x1:conv3x3"


def record(status: str = "ok", reason: str = "", rank: int | None = 17) -> dict[str, Any]:
    return {
        "run": {
            "optimizer": "gdas",
            "benchmark": "digits",
            "cell_space": 1,
            "epochs": 4,
            "seed": 7,
            "config": {"momentum": 0.9, "cutout_length": None},
        },
        "objective": {"optimum_valid_error": 0.1, "optimum_test_error": 0.2, "table": {"cells": 2685}},
        "versions": {"python": "3.11"},
        "host": {"cores": 2},
        "started": "2026-11-23T14:00:00+00:00",
        "command": ["metaopt", "search"],
        "result": {"status": status, "reason": reason, "cost_s": 1.25},
        "rank": rank,
    }


def trajectory(*cells: str | None, **columns: list[Any]) -> dict[str, list[Any]]:
    n = len(cells)
    return {
        "epoch": list(range(1, n + 1)),
        "train_loss": [2.5] * n,
        "one_shot_error": [0.9 - 0.1 * k for k in range(n)],
        "valid_error": [cell and 0.25 for cell in cells],
        "test_error": [cell and 0.5 for cell in cells],
        "cell": list(cells),
        "arch": [{}] * n,
        **columns,
    }


def text(record: dict[str, Any], trajectory: dict[str, list[Any]]) -> str:
    return render_search(record, trajectory, "mine")["report.html"].decode()


def test_a_finished_search() -> None:
    page = text(record(), trajectory(CHAIN, FORK, TWIN, FORK))
    assert "gdas on digits, cell space 1: one search" in page
    assert '<p class="number">0.1500</p>' in page
    assert "rank 17 of the 2,685 in the table; its test regret is 0.3000" in page
    assert "<dd>4 of 4</dd>" in page
    assert "Pick of the last 3 epochs. Hash " in page, "isomorphic cells are one"
    assert '<td>momentum</td><td class="num">0.9</td>' in page
    assert '<td>cutout_length</td><td class="num">–</td>' in page
    assert "metaopt search" in page
    assert "eigenvalue" not in page


def test_the_eigenvalue_is_shown_where_it_is_measured() -> None:
    page = text(record(), trajectory(CHAIN, FORK, eigenvalue=[None, 0.75]))
    assert "dominant eigenvalue" in page
    assert '<td class="num">0.75</td>' in page
    assert "Pick of the last epoch." in page


def test_what_happened_in_the_epochs() -> None:
    went = "stopped by the rule code, went back to epoch 2"
    page = text(record(), trajectory(CHAIN, FORK, TWIN, note=["", "", went]))
    assert f"Epoch 3: {went}." in page
    assert f"<td>{went}</td>" in page
    assert page.count("Epoch ") == 1
    assert "<dd>3 (asked: 4)</dd>" in page


def test_epochs_beyond_those_asked_for() -> None:
    assert "<dd>5 (asked: 4)</dd>" in text(record(), trajectory(*[CHAIN] * 5))


@pytest.mark.parametrize(
    ("status", "reason", "badge"), [("stopped", "interrupted", "interrupted"), ("crashed", "loss is nan", "diverged")]
)
def test_a_search_that_ended_early(status: str, reason: str, badge: str) -> None:
    page = text(record(status, reason, None), trajectory(CHAIN))
    assert f'<span class="badge">{badge}</span>' in page
    assert f"The search ended early: {reason}." in page
    assert "<dd>1 of 4</dd>" in page
    assert "of the cell after 1 epoch" in page
    assert "1 epochs" not in page
    assert "rank" not in page


def test_epochs_without_a_cell() -> None:
    files = render_search(record("stopped", "interrupted", None), trajectory(None, None), "mine")
    assert '<p class="number">–</p>' in files["report.html"].decode()
    assert {name for name in files if name.endswith(".svg")} == {"figures/epochs.svg"}


def test_files(tmp_path: Path) -> None:
    page = write_search(record(), trajectory(CHAIN), tmp_path / "search" / "report")
    assert page == tmp_path / "search" / "report" / "report.html"
    names = sorted(path.name for path in page.parent.glob("figures/*"))
    assert names == ["cell.png", "cell.svg", "epochs.png", "epochs.svg"]
    assert '<p class="run">search</p>' in page.read_text()
    first = page.read_bytes()
    assert write_search(record(), trajectory(CHAIN), page.parent).read_bytes() == first
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="the report cannot be written"):
        write_search(record(), trajectory(CHAIN), tmp_path / "file")


def test_epochs_whose_cell_nobody_knows() -> None:
    gap = {"valid_error": [0.25, None], "test_error": [0.5, None]}
    page = text(record("stopped", "interrupted", None), trajectory(CHAIN, FORK, **gap))
    assert '<p class="number">–</p>' in page
    assert "Pick of the last epoch." in page
    page = text(record(), trajectory(CHAIN, FORK, valid_error=[None, 0.25], test_error=[None, 0.5]))
    assert '<p class="number">0.1500</p>' in page
