"""``metaopt doctor``."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from metaopt.cli import OK, USER_ERROR
from metaopt.doctor.checks import examine_all


def doctor(arguments: Namespace) -> int:
    """Prints what every check has found, one line each; fails if there is a problem."""
    found = examine_all()
    if arguments.json:
        print(json.dumps({name: asdict(finding) for name, finding in found.items()}, indent=2))
    else:
        for name, finding in found.items():
            text = " ".join(f"{finding.text}; {finding.advice}".split()) if finding.advice else finding.text
            print(f"{finding.state:<8} {name:<20} {text}")
    return USER_ERROR if any(finding.state == "problem" for finding in found.values()) else OK
