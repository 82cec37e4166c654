"""``metaopt optimizer list|show``."""

from __future__ import annotations

from argparse import Namespace

from metaopt.cli import OK
from metaopt.cli.documented import indented, introduction, rows, summaries
from metaopt.oneshot import ONESHOT


def list_optimizers(arguments: Namespace) -> int:
    """Prints the names of the one-shot optimizers."""
    for name, summary in summaries(ONESHOT):
        print(f"{name:<14} {summary}")
    return OK


def show(arguments: Namespace) -> int:
    """Prints the hyperparameters of a one-shot optimizer: what may be set, and what its own space tunes."""
    from metaopt.cli.spaces import span
    from metaopt.core.registry import resolve
    from metaopt.oneshot.base import OneShotOptimizer
    from metaopt.spaces.space import load_space, space_to_json

    optimizer: type[OneShotOptimizer] = resolve("one-shot optimizer", ONESHOT, arguments.optimizer)
    tuned = {entry["name"]: entry for entry in space_to_json(load_space(arguments.optimizer))["hyperparameters"]}
    print(introduction(optimizer))
    print("\nhyperparameters, given as --set NAME=VALUE to metaopt search:")
    for name, lines in rows(optimizer.Settings):
        print(lines)
        if name in tuned:
            source = (tuned[name].get("meta") or {}).get("source")
            print(indented(f"tuned: {span(tuned[name])}" + (f"; source: {source}" if source else "")))
    return OK
