"""Tables of a ranking study: measures over its supernets, and what each defect of the published evaluation does."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from metaopt.report.document.numbers import decimals
from metaopt.report.document.section import NONE, PageTable

STATISTICS = {
    "published": "last training batch, as published (momentum 0.997)",
    "running": "running mean, as meant (momentum 0.003)",
    "pytorch": "running mean, PyTorch's default (momentum 0.1)",
    "recalibrated": "training images, recalibrated per cell",
    "batch": "the evaluated images themselves",
}
_DEFECTS = {
    (False, False): "none",
    (True, False): "lost edge",
    (False, True): "soft operations",
    (True, True): "lost edge, soft operations",
}


@dataclass(frozen=True)
class Way:
    """One way to evaluate cells.

    Attributes:
        batch_norm: Statistics, a key of :data:`STATISTICS`.
        lost_edge: Whether the last choice block's edge to the output is left out.
        soft_ops: Whether operations are mixed by a softmax over the one-hot choice.
        among: ``all`` cells, or ``enumerated``: those that the published enumeration has.
    """

    batch_norm: str
    lost_edge: bool
    soft_ops: bool
    among: str

    @property
    def defects(self) -> str:
        """The defects of the evaluation in words."""
        return _DEFECTS[self.lost_edge, self.soft_ops]


class Measures:
    """The measures of a record, looked up by the way of evaluating.

    Args:
        record: Of a ranking study.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._entries: dict[tuple[Way, str, int], list[Mapping[str, Any]]] = {}
        for entry in record["measures"]:
            way = Way(*(entry[name] for name in ("batch_norm", "lost_edge", "soft_ops", "among")))
            self._entries.setdefault((way, entry["score"], entry["epochs"]), []).append(entry)
        self.epochs = sorted({epochs for _, _, epochs in self._entries})

    @property
    def ways(self) -> list[Way]:
        """All ways to evaluate, in the order of the record."""
        return list(dict.fromkeys(way for way, _, _ in self._entries))

    def values(
        self, way: Way, name: str, key: int | None = None, *, score: str = "error", epochs: int = 0
    ) -> list[float]:
        """Returns one measure of every supernet, without those that have none.

        Args:
            way: Of evaluating.
            name: Of the measure.
            key: Number of truly best cells of ``top``, percentage of ``precision`` and ``best_rank``.
            score: ``error`` or ``loss``.
            epochs: Of the search; 0: the last.
        """
        entries = self._entries.get((way, score, epochs or self.epochs[-1]), [])
        found = [_measure(entry, name, key) for entry in entries]
        return [value for value in found if value is not None]

    def text(self, way: Way, name: str, key: int | None = None, *, score: str = "error", digits: int = 3) -> str:
        """Returns mean and standard deviation of a measure over the supernets, and how many have it, if not all."""
        values = self.values(way, name, key, score=score)
        if not values:
            return NONE
        spread = f" ± {decimals(stdev(values), digits)}" if len(values) > 1 else ""
        among = len(self._entries[way, score, self.epochs[-1]])
        return f"{decimals(mean(values), digits)}{spread}" + (
            f" ({len(values)} of {among})" if len(values) < among else ""
        )


def _measure(entry: Mapping[str, Any], name: str, key: int | None) -> float | None:
    if name == "top":
        return next((top["kendall_a"] for top in entry["top"] if top["cells"] == key), None)
    value: float | None = entry[name] if key is None else entry[name][str(key)]
    return value


def defect_table(measures: Measures) -> PageTable | None:
    """Returns what each defect does: mended alone where all are there, made alone where none is.

    None if the published evaluation, or the right one, is not in the record.
    """
    ways = measures.ways
    published = Way("published", any(w.lost_edge for w in ways), any(w.soft_ops for w in ways), "enumerated")
    right = Way("recalibrated", False, False, "all")
    if published not in ways or right not in ways:
        return None
    rows = [("as published", published)]
    rows += [(f"… but {text}", way) for text, way in _changes(published, right)]
    rows += [("done right", right)]
    rows += [(f"… but {text}", way) for text, way in _changes(right, published)]
    columns = [
        ("spearman", None),
        ("spearman_points", None),
        ("spearman_top_points", None),
        ("kendall_a", None),
        ("precision", 5),
    ]
    return PageTable(
        "What each defect does to the correlation of one-shot error and true error",
        ("evaluation", "Spearman", "over points", "best 1000 points", "Kendall tau-a", "precision at 5 %"),
        tuple((text, *(measures.text(way, *column) for column in columns)) for text, way in rows),
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
    return PageTable(
        "All ways of evaluating",
        (
            "batch norm statistics", "defects", "cells", "mean error", "Spearman", "Spearman of loss", "tau-a", "tau-b",
            "tau-a of best 500", "tau-a of best 50", "series", "precision at 1 %", "at 10 %", "best rank in 1 %",
        ),
        tuple(_full_row(measures, way) for way in measures.ways),
    )  # fmt: skip


def _full_row(measures: Measures, way: Way) -> tuple[str, ...]:
    return (
        way.batch_norm,
        way.defects,
        way.among,
        measures.text(way, "mean_score"),
        measures.text(way, "spearman"),
        measures.text(way, "spearman", score="loss"),
        measures.text(way, "kendall_a"),
        measures.text(way, "kendall_b"),
        measures.text(way, "top", 500),
        measures.text(way, "top", 50),
        measures.text(way, "series_kendall"),
        measures.text(way, "precision", 1),
        measures.text(way, "precision", 10),
        measures.text(way, "best_rank", 1, digits=0),
    )


def markdown(table: PageTable) -> str:
    """Returns a table as Markdown, with its title above."""
    lines = [table.head, ("---",) * len(table.head), *table.rows]
    return "\n".join([f"### {table.title}", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def measures_csv(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """Returns every measure of every supernet, one row each, as CSV in UTF-8; an empty field is: there is none."""
    rows = [_flat(entry) for entry in entries]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in entry.items() if not isinstance(value, (list, dict))}
    for name in ("precision", "best_rank"):
        row |= {f"{name}_{percent}_percent": value for percent, value in entry[name].items()}
    for top in entry["top"]:
        row |= {f"{name}_top_{top['cells']}": top[name] for name in ("kendall_a", "mean_score")}
    return {name: "" if value is None else value for name, value in row.items()}
