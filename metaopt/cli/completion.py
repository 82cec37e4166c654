"""``metaopt completion``."""

from __future__ import annotations

from argparse import Namespace

import shtab

from metaopt.cli import OK
from metaopt.cli.commands import build


def completion(arguments: Namespace) -> int:
    """Prints the script by which a shell completes commands and flags."""
    print(shtab.complete(build(), arguments.shell))
    return OK
