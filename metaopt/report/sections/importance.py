"""Which hyperparameters matter to each tuned optimizer, over all runs of its group together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from metaopt.report.data.groups import Group
from metaopt.report.document.markdown import Record
from metaopt.report.document.section import NONE, PageTable
from metaopt.report.stats.importance import TRUSTED_FIT, Importance, importance

_SHOWN = 3  # hyperparameters of a group in the table for reading; all are in the file


@dataclass(frozen=True)
class GroupImportance:
    """The importance of a group's hyperparameters.

    Attributes:
        label: Of the group.
        found: Over all trials of all of its runs.
    """

    label: str
    found: Importance

    @property
    def is_trusted(self) -> bool:
        """Whether the forests explain enough of what they have not seen."""
        return bool(self.found.names) and self.found.fit >= TRUSTED_FIT


def group_importance(groups: Sequence[Group]) -> list[GroupImportance]:
    """Returns what matters in every group that varies hyperparameters."""
    return [GroupImportance(group.label, importance(*group.runs)) for group in groups]


def importance_table(rows: Sequence[GroupImportance]) -> PageTable:
    """Returns the table for reading: the strongest of each group."""
    head = ("", "trials", "R² unseen", "strongest alone", "strongest interaction")
    return PageTable("What matters", head, tuple(_text(row) for row in rows))


def _text(row: GroupImportance) -> tuple[str, ...]:
    found = row.found
    if not row.is_trusted:
        return row.label, str(found.n_trials), NONE if math.isnan(found.fit) else f"{found.fit:.2f}", NONE, NONE
    alone = sorted(zip(found.mean, found.std, found.names, strict=True), key=lambda one: -one[0])[:_SHOWN]
    pair = max(found.pairs, key=found.pairs.__getitem__, default=None)
    return (
        row.label,
        str(found.n_trials),
        f"{found.fit:.2f}",
        ", ".join(f"{name} {_percent(mean, std)}" for mean, std, name in alone),
        NONE if pair is None else f"{pair[0]} with {pair[1]} {100 * found.pairs[pair]:.0f} %",
    )


def _percent(mean: float, std: float) -> str:
    return f"{100 * mean:.0f} ± {100 * std:.0f} %"


def importance_records(rows: Sequence[GroupImportance]) -> list[Record]:
    """Returns all shares that are trusted, as values: a row per input, and one per pair of them."""
    rows = [row for row in rows if row.is_trusted]
    single = [
        (row, name, "", mean, std)
        for row in rows
        for name, mean, std in zip(row.found.names, row.found.mean, row.found.std, strict=True)
    ]
    pairs = [(row, *names, share, None) for row in rows for names, share in row.found.pairs.items()]
    return [
        {
            "group": row.label,
            "input": name,
            "with": other,
            "share": mean,
            "sd_over_forests": std,
            "r2_out_of_bag": row.found.fit,
            "trials": row.found.n_trials,
        }
        for row, name, other, mean, std in (*single, *pairs)
    ]


def untold_note(rows: Sequence[GroupImportance]) -> str:
    """Returns what to say where no group's importance can be told."""
    fits = [row.found.fit for row in rows if row.found.names]
    seen = f" (R² {min(fits):.2f} to {max(fits):.2f})" if fits else ""
    return (
        "Which hyperparameters matter cannot be told from these trials: random forests fitted to all trials of a group "
        f"explain too little of those they have not seen{seen}; shares are shown from an R² of {TRUSTED_FIT} on."
    )


def importance_notes(rows: Sequence[GroupImportance]) -> tuple[str, ...]:
    """Returns what must be known to read the table."""
    weak = [row.label for row in rows if not row.is_trusted]
    text = (
        "Share of the variance of the validation error over the whole space that an input explains by itself, and that "
        "two explain together beyond that: functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014), exact "
        "on the trees of random forests (scikit-learn) that are fitted to all trials of all runs of a group; ± "
        "standard deviation over forests. R² unseen: of trials left out when a tree was grown (out of bag)."
    )
    poor = f"No share is shown where R² is below {TRUSTED_FIT} or too few trials differ: {', '.join(weak)}."
    return (text, *((poor,) if weak else ()))
