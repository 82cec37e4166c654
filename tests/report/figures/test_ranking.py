from __future__ import annotations

import numpy as np
import pytest

from metaopt.report.figures.ranking import epochs_plot, scatter_plot, spearman_plot
from metaopt.report.sections.ranking import STATISTICS, Measures, Way
from rankings import CELLS, made_up_record


def test_all_cells_are_in_every_panel() -> None:
    record = made_up_record()
    figure = scatter_plot(record, Measures(record)).figure
    assert [panel.get_title(loc="left").split(":")[0] for panel in figure.axes] == list(STATISTICS)
    for panel in figure.axes:
        assert panel.collections[0].get_array().sum() == CELLS


def test_the_title_says_the_first_supernets_correlation() -> None:
    record = made_up_record(at=(2, 5))
    measures = Measures(record)
    rho = measures.values(Way("published", False, False, "all"), "spearman")[0]
    figure = scatter_plot(record, measures).figure
    assert figure.axes[0].get_title(loc="left") == f"published: ρ = {rho:.2f}"


def test_every_supernet_is_a_dot() -> None:
    measures = Measures(made_up_record(seeds=3))
    (axes,) = spearman_plot(measures).figure.axes
    dots = sorted(x for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata())
    ways = [way for way in measures.ways if way.among == "all"]
    assert dots == pytest.approx(sorted(x for way in ways for x in measures.values(way, "spearman")))
    assert len(dots) == 5 * 4 * 3
    assert [text.get_text() for text in axes.get_yticklabels()] == list(STATISTICS)


def test_a_way_without_a_correlation_is_left_out() -> None:
    record = made_up_record()
    for entry in record["measures"]:
        if entry["batch_norm"] == "running":
            entry["spearman"] = None
    measures = Measures(record)
    (axes,) = spearman_plot(measures).figure.axes
    assert sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o") == 4 * 4 * 2
    assert scatter_plot(record, measures).figure.axes[1].get_title(loc="left") == "running"
    assert np.isnan(epochs_plot(measures).figure.axes[0].lines[1].get_ydata()).all()


def test_means_over_the_epochs() -> None:
    measures = Measures(made_up_record(at=(1, 2, 5), seeds=2))
    (axes,) = epochs_plot(measures).figure.axes
    line = next(line for line in axes.lines if line.get_label() == "batch")
    assert list(line.get_xdata()) == [1, 2, 5]
    way = Way("batch", False, False, "all")
    expected = [np.mean(measures.values(way, "spearman", epochs=epochs)) for epochs in (1, 2, 5)]
    assert line.get_ydata() == pytest.approx(expected)
