"""Which hyperparameters matter to each tuned optimizer, over all runs of its group together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from metaopt.report.data.groups import Group
from metaopt.report.data.inputs import run_importance
from metaopt.report.document.section import NONE, Column, PageTable, records_table
from metaopt.report.stats.importance import TRUSTED_FIT, Importance

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


def group_importance(groups: Sequence[Group]) -> list[GroupImportance]:
    """Returns what matters in every group that varies hyperparameters."""
    return [GroupImportance(group.label, run_importance(*group.runs)) for group in groups]


def importance_table(rows: Sequence[GroupImportance]) -> PageTable:
    """Returns the strongest inputs of each group, for readers."""
    columns = (
        Column("", value=attrgetter("label")),
        Column("trials", value=attrgetter("found.n_trials")),
        Column("R² unseen", value=attrgetter("found.fit"), show=lambda fit: NONE if math.isnan(fit) else f"{fit:.2f}"),
        Column("strongest alone", value=_alone),
        Column("strongest interaction", value=_interaction),
    )
    return PageTable("What matters", columns, tuple(rows))


def _alone(row: GroupImportance) -> str:
    if not row.found.is_trusted:
        return NONE
    found = sorted(zip(row.found.mean, row.found.std, row.found.names, strict=True), key=lambda one: -one[0])
    return ", ".join(f"{name} {100 * mean:.0f} ± {100 * std:.0f} %" for mean, std, name in found[:_SHOWN])


def _interaction(row: GroupImportance) -> str:
    pairs = row.found.pairs if row.found.is_trusted else {}
    pair = max(pairs, key=pairs.__getitem__, default=None)
    return NONE if pair is None else f"{pair[0]} with {pair[1]} {100 * pairs[pair]:.0f} %"


def importance_data(rows: Sequence[GroupImportance]) -> PageTable:
    """Returns all shares that are trusted, for programs: a row per input, and one per pair of them."""
    rows = [row for row in rows if row.found.is_trusted]
    single = [
        (row, name, "", mean, std)
        for row in rows
        for name, mean, std in zip(row.found.names, row.found.mean, row.found.std, strict=True)
    ]
    pairs = [(row, *names, share, None) for row in rows for names, share in row.found.pairs.items()]
    return records_table(
        "importance",
        (
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
        ),
    )


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
    weak = [row.label for row in rows if not row.found.is_trusted]
    text = (
        "Share of the variance of the validation error over the whole space that an input explains by itself, and that "
        "two explain together beyond that: functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014), exact "
        "on the trees of random forests (scikit-learn) that are fitted to all trials of all runs of a group; ± "
        "standard deviation over forests. R² unseen: of trials left out when a tree was grown (out of bag)."
    )
    poor = f"No share is shown where R² is below {TRUSTED_FIT} or too few trials differ: {', '.join(weak)}."
    return (text, *((poor,) if weak else ()))
