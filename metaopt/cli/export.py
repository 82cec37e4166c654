"""``metaopt export``."""

from __future__ import annotations

from argparse import Namespace

from metaopt.cli import OK
from metaopt.report.export.files import export as write


def export(arguments: Namespace) -> int:
    """Writes the trials in a format of others."""
    print(f"{arguments.to}: {write(arguments.runs, arguments.to, arguments.out)}")
    return OK
