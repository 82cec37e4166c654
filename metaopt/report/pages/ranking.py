"""The page of a ranking study: tables and figures from its record alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from metaopt.core.wording import counted
from metaopt.report.document.files import write_files
from metaopt.report.document.section import number
from metaopt.report.figures.ranking import epochs_plot, scatter_plot, spearman_plot
from metaopt.report.figures.style import RC, render
from metaopt.report.sections.ranking import STATISTICS, Measures, defect_table, full_table, markdown, measures_csv

PAGE = "README.md"


def write_ranking(record: Mapping[str, Any], folder: Path) -> Path:
    """Writes the page, its figures and a table of all measures; returns the page.

    Raises:
        RunError: if the folder cannot be written to.
    """
    write_files(folder, render_ranking(record))
    return folder / PAGE


def render_ranking(record: Mapping[str, Any]) -> dict[str, bytes]:
    """Returns every file of the page by name; the same bytes for the same record."""
    measures = Measures(record)
    files: dict[str, bytes] = {"measures.csv": measures_csv(record["measures"])}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        plots = [scatter_plot(record, measures), spearman_plot(measures)]
        if len(measures.epochs) > 1:
            plots.append(epochs_plot(measures))
        pictures = [render(plot) for plot in plots]
    shown = []
    for picture in pictures:
        files[f"figures/{picture.name}.svg"], files[f"figures/{picture.name}.png"] = picture.svg, picture.png
        shown.append(f"![{picture.title}](figures/{picture.name}.svg)\n\n{picture.caption}\n")
    tables = [markdown(table) for table in (defect_table(measures), full_table(measures)) if table is not None]
    text = "\n".join([_about(record), tables[0], *shown, *tables[1:], _legend(record)])
    return {PAGE: text.encode("utf-8"), **files}


def _about(record: Mapping[str, Any]) -> str:
    study, cells = record["study"], record["cells"]
    config = ", ".join(f"{name} {json.dumps(value)}" for name, value in study["config"].items())
    supernets = "1 supernet, seed 0" if study["seeds"] == 1 else f"{study['seeds']} supernets, seeds from 0"
    return f"""`{record["command"]}`

# How well {study["optimizer"]} supernets rank the cells of {study["benchmark"]}, cell space {study["cell_space"]}

{supernets}, searched for {counted(study["epochs"], "epoch")} and scored after
{" and ".join(map(str, study["at"]))}; tables and dots are of the last. Hyperparameters: {config or "none"}.

Score: error of a cell under the supernet's weights on the benchmark's validation images, which no search sees. Truth:
mean validation error of the cell's own trainings in the table. {len(cells)} distinct cells, of which the published
enumeration has {sum(cell["enumerated"] for cell in cells)}. {_ceiling(record["ceiling"])}
It took {record["cpu_s"]:.0f} CPU seconds with the versions that `correlation.json` names.
"""


def _ceiling(ceiling: Mapping[str, float | None]) -> str:
    known = ", ".join(f"{number(value)} over {name} cells" for name, value in ceiling.items() if value is not None)
    if not known:
        return "How well the table ranks its own cells is unknown."
    return f"""The table ranks its own cells, one repeat against the mean
of the others, with a Spearman correlation of {known}: nothing can be asked to do much better."""


def _legend(record: Mapping[str, Any]) -> str:
    weights = (
        "equal: the kind of statistics changes nothing in a training"
        if record["same_weights"]
        else "not equal in all kinds of statistics, so that these differ by more than themselves"
    )
    kinds = "\n".join(f"- `{name}`: {text}." for name, text in STATISTICS.items())
    return f"""### How to read it

Values are means over the supernets ± their standard deviation. Over points: every repeat in the table is a point of its
own, as 1Shot1's study counts; best 1000 points: those of lowest one-shot error. Tau-a: ties are no agreement. Best 500
and best 50: among the truly best cells. Series: tau-a of the number N of truly best cells and their mean score.
Precision at 1 %: share of the predicted best that are truly among the best; a guess has 0.01. Best rank in 1 %: the
best true rank among them. Everything and more, per supernet, is in `measures.csv`.

Batch norm statistics:
{kinds}

The weights of one seed are {weights}. Where single
paths are trained, an operation's stored statistics are of the last steps in which it was on the path; the published
code computes all operations in every step and multiplies those off the path by 0.

Defects of 1Shot1's released study. Lost edge: the edge from the last choice block to the output is left out. Soft
operations: the one-hot choice of an operation goes through a softmax, so that it counts 0.576 and the two others 0.212.
Enumerated cells: those that its generator of cells finds.
"""
