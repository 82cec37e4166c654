"""``metaopt report``."""

from __future__ import annotations

from argparse import Namespace

from metaopt.cli import OK, USER_ERROR
from metaopt.report.pages.run import check_report, write_report


def report(arguments: Namespace) -> int:
    """Writes the report, or compares it with a fresh one."""
    if arguments.check:
        differing = check_report(arguments.runs, arguments.out)
        print("\n".join(f"differs: {name}" for name in differing) or "the report equals its journals")
        return USER_ERROR if differing else OK
    print(f"report: {write_report(arguments.runs, arguments.out)}")
    return OK
