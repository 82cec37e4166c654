"""The measures of a ranking study, by the way in which its cells were evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from metaopt.report.document.numbers import decimals
from metaopt.report.document.section import NONE

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
