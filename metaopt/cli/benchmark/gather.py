"""``metaopt benchmark gather-searches``."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator

from metaopt.cli import OK
from metaopt.core.machine import command_line, versions
from metaopt.core.wording import counted, listed
from metaopt.recorded.searches import RecordedSearch, write_searches
from metaopt.studies.gather import gather


def gather_searches(arguments: Namespace) -> int:
    """Writes the searches of runs into one file, and says how many there are."""
    gathered = gather(arguments.runs, arguments.benchmark, arguments.cell_space)
    provenance = {
        "command": shlex.join(command_line()),
        "versions": versions(),
        "benchmark": gathered.benchmark,
        "cell_space": gathered.cell_space,
        "problem": gathered.problem,
        "spaces": gathered.spaces,
        "made_by": gathered.made_by,
        "left_out": dict(gathered.left_out),
    }
    write_searches(arguments.out, gathered.searches.values(), provenance)
    print("\n".join(_summary(gathered.searches.values())))
    for reason, count in sorted(gathered.left_out.items()):
        print(f"left out, {reason}: {count}")
    print(f"searches: {arguments.out} ({arguments.out.stat().st_size:,} bytes)")
    return OK


def _summary(searches: Iterable[RecordedSearch]) -> Iterator[str]:
    """Yields a line per optimizer."""
    of: dict[str, list[RecordedSearch]] = {}
    for search in searches:
        of.setdefault(search.optimizer, []).append(search)
    for optimizer, found in sorted(of.items()):
        repeats = Counter(search.key[1:3] for search in found)
        several = sum(number > 1 for number in repeats.values())
        yield (
            f"{optimizer:<10} {counted(len(found), 'search', 'searches')} of "
            f"{counted(len({config for config, _ in repeats}), 'configuration')}, "
            f"{listed(sorted({search.epochs for search in found}), 'epoch')}; {several} with several seeds"
        )
