"""The sections of a ranking study: how well its supernets rank cells, and what defects of the evaluation do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from statistics import mean
from typing import Any

from metaopt.core.wording import counted
from metaopt.report.data.measures import STATISTICS, Measures, Way
from metaopt.report.document.numbers import decimals
from metaopt.report.document.section import Column, PageTable, Section, cells_table, number, records_table
from metaopt.report.figures.ranking import epochs_plot, scatter_plot, spearman_plot

_RIGHT = Way("recalibrated", False, False, "all")
_LEGEND = (
    "Score: error of a cell under the supernet's weights on the benchmark's validation images, which no search sees. "
    "Truth: mean validation error of the cell's own trainings in the table.",
    "Values are means over the supernets ± their standard deviation. Over points: every repeat in the table is a point "
    "of its own, as 1Shot1's study counts; best 1000 points: those of lowest one-shot error. Tau-a: ties are no "
    "agreement. Best 500 and best 50: among the truly best cells. Series: tau-a of the number N of truly best cells "
    "and their mean score. Precision at 1 %: share of the predicted best that are truly among the best; a guess has "
    "0.01. Best rank in 1 %: the best true rank among them.",
    f"Batch norm statistics: {'; '.join(f'`{name}`: {text}' for name, text in STATISTICS.items())}.",
    "Defects of 1Shot1's released study. Lost edge: the edge from the last choice block to the output is left out. "
    "Soft operations: the one-hot choice of an operation goes through a softmax, so that it counts 0.576 and the two "
    "others 0.212. Enumerated cells: those that its generator of cells finds.",
    "Where single paths are trained, an operation's stored statistics are of the last steps in which it was on the "
    "path; the published code computes all operations in every step and multiplies those off the path by 0.",
)


def ranking_sections(record: Mapping[str, Any], measures: Measures) -> Iterator[Section]:
    """Yields the sections of a ranking study.

    Args:
        record: Of the study.
        measures: Of that record.
    """
    plots = [scatter_plot(record, measures), spearman_plot(measures)]
    if len(measures.epochs) > 1:
        plots.append(epochs_plot(measures))
    if (table := defect_table(measures)) is not None:
        yield Section("What each defect does", (), (table,), name="defects")
    yield Section("How well the supernets rank", (), plots=tuple(plots), name="rank")
    data = (measures_data(record["measures"]),)
    yield Section("All ways of evaluating", (), (full_table(measures),), data=data, name="ways")
    weights = (
        "equal: the kind of statistics changes nothing in a training"
        if record["same_weights"]
        else "not equal in all kinds of statistics, so that these differ by more than themselves"
    )
    yield Section("How to read it", (*_LEGEND, f"The weights of one seed are {weights}."), name="legend")


def ranking_summary(record: Mapping[str, Any], measures: Measures) -> Iterator[str]:
    """Yields what was ranked, how well, and what the best possible is, in plain sentences."""
    study, cells = record["study"], record["cells"]
    seeds = "1 supernet, seed 0" if study["seeds"] == 1 else f"{study['seeds']} supernets, seeds from 0"
    yield (
        f"{seeds}, searched for {counted(study['epochs'], 'epoch')} and scored after "
        f"{' and '.join(map(str, study['at']))}: each ranked {len(cells)} distinct cells, of which the published "
        f"enumeration has {sum(cell['enumerated'] for cell in cells)}."
    )
    if values := measures.values(_RIGHT, "spearman"):
        spread = f", from {min(values):.2f} to {max(values):.2f}" if len(values) > 1 else ""
        yield (
            "Evaluated without defects, with recalibrated batch norm statistics, one-shot error and true error have a "
            f"mean Spearman correlation of {decimals(mean(values), 2)}{spread} after the last epochs."
        )
    if (published := _published(measures)) in measures.ways and (values := measures.values(published, "spearman")):
        yield f"Evaluated as published it is {decimals(mean(values), 2)}, over the enumerated cells."
    known = ", ".join(
        f"{number(value)} over {name} cells" for name, value in record["ceiling"].items() if value is not None
    )
    yield (
        f"The table ranks its own cells, one repeat against the mean of the others, with a Spearman correlation of "
        f"{known}: no score can be expected to do much better."
        if known
        else "How well the table ranks its own cells is unknown."
    )
    config = ", ".join(f"{name} {json.dumps(value)}" for name, value in study["config"].items())
    yield (
        f"It took {record['cpu_s']:.0f} CPU seconds with the versions that `correlation.json` names. Hyperparameters: "
        f"{config or 'none'}."
    )


def _published(measures: Measures) -> Way:
    ways = measures.ways
    return Way("published", any(w.lost_edge for w in ways), any(w.soft_ops for w in ways), "enumerated")


def defect_table(measures: Measures) -> PageTable | None:
    """Returns what each defect does: mended alone where all are there, made alone where none is.

    None if the published evaluation, or the right one, is not in the record.
    """
    published = _published(measures)
    if published not in measures.ways or _RIGHT not in measures.ways:
        return None
    rows = [("as published", published)]
    rows += [(f"… but {text}", way) for text, way in _changes(published, _RIGHT)]
    rows += [("done right", _RIGHT)]
    rows += [(f"… but {text}", way) for text, way in _changes(_RIGHT, published)]
    columns = {
        "Spearman": ("spearman", None),
        "over points": ("spearman_points", None),
        "best 1000 points": ("spearman_top_points", None),
        "Kendall tau-a": ("kendall_a", None),
        "precision at 5 %": ("precision", 5),
    }
    return cells_table(
        "What each defect does to the correlation of one-shot error and true error",
        ("evaluation", *columns),
        ((text, *(measures.text(way, *column) for column in columns.values())) for text, way in rows),
    )


def _changes(start: Way, end: Way) -> list[tuple[str, Way]]:
    """Returns every way that differs from ``start`` in one respect, which is as in ``end``, and that respect."""
    words = {
        "batch_norm": f"batch norm statistics of {STATISTICS[end.batch_norm]}",
        "lost_edge": "the edge to the output lost" if end.lost_edge else "no edge lost",
        "soft_ops": "operations mixed" if end.soft_ops else "operations not mixed",
        "among": "only the enumerated cells" if end.among == "enumerated" else "all cells",
    }
    changed = {name: replace(start, **{name: getattr(end, name)}) for name in words}
    return [(words[name], way) for name, way in changed.items() if way != start]


def full_table(measures: Measures) -> PageTable:
    """Returns the main measures of every way of evaluating."""

    def column(head: str, name: str, key: int | None = None, **how: Any) -> Column:
        return Column(head, value=lambda way: measures.text(way, name, key, **how))

    columns = (
        Column("batch norm statistics", value=attrgetter("batch_norm")),
        Column("defects", value=attrgetter("defects")),
        Column("cells", value=attrgetter("among")),
        column("mean error", "mean_score"),
        column("Spearman", "spearman"),
        column("Spearman of loss", "spearman", score="loss"),
        column("tau-a", "kendall_a"),
        column("tau-b", "kendall_b"),
        column("tau-a of best 500", "top", 500),
        column("tau-a of best 50", "top", 50),
        column("series", "series_kendall"),
        column("precision at 1 %", "precision", 1),
        column("at 10 %", "precision", 10),
        column("best rank in 1 %", "best_rank", 1, digits=0),
    )
    return PageTable("All ways of evaluating", columns, tuple(measures.ways))


def measures_data(entries: Sequence[Mapping[str, Any]]) -> PageTable:
    """Returns every measure of every supernet, for programs; an empty field is: there is none."""
    rows = [_flat(entry) for entry in entries]
    names = dict.fromkeys(name for row in rows for name in row)
    return records_table("measures", ({name: row.get(name) for name in names} for row in rows))


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in entry.items() if not isinstance(value, (list, dict))}
    for name in ("precision", "best_rank"):
        row |= {f"{name}_{percent}_percent": value for percent, value in entry[name].items()}
    for top in entry["top"]:
        row |= {f"{name}_top_{top['cells']}": top[name] for name in ("kendall_a", "mean_score")}
    return row
