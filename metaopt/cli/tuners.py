"""``metaopt tuner list|show``."""

from __future__ import annotations

from argparse import Namespace

from metaopt.cli import OK
from metaopt.cli.documented import introduction, rows, summaries
from metaopt.tuners import TUNERS


def list_tuners(arguments: Namespace) -> int:
    """Prints the names of the tuners."""
    for name, summary in summaries(TUNERS):
        print(f"{name:<14} {summary}")
    return OK


def show(arguments: Namespace) -> int:
    """Prints the options of a tuner."""
    from metaopt.core.registry import resolve
    from metaopt.tuners.base import Tuner

    tuner: type[Tuner] = resolve("tuner", TUNERS, arguments.tuner)
    print(introduction(tuner))
    options = dict(rows(tuner.Options))
    print(
        "\noptions, given as --tuner-options NAME=VALUE or under tuner_options in a file:"
        if options
        else f"\n{arguments.tuner} has no options"
    )
    for lines in options.values():
        print(lines)
    return OK
