"""Whether a run goes on with the problem it was begun with: what its header states of that, compared with what is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metaopt.core.errors import JournalError
from metaopt.core.wording import shown
from metaopt.settings.run import EXTENDABLE, RESUMABLE

#: Of an objective's description what differs between machines that run the same problem.
_OF_THE_MACHINE = frozenset({"device", "torch"})
#: What a journal's header states of the problem and of the run, beside the objective's description.
_OF_THE_RUN = ("run", "space", "default")
#: Processors round differently where sums have another order; by more than this nothing that is equal differs.
_RELATIVE = 1e-9
_MOST_NAMED = 5


def check_same_problem(journal: Path, header: Mapping[str, Any], description: Mapping[str, Any]) -> None:
    """Refuses to go on with a run whose objective is another one now.

    What only one of the two states is left alone, so that runs of earlier versions go on.

    Args:
        journal: Of the run.
        header: Its first line.
        description: What the objective says of itself now.

    Raises:
        JournalError: naming what differs, with what it was and what it is.
    """
    if found := changed_problem(header.get("objective", {}), description):
        raise JournalError(
            f"{journal} is of another problem than there is now: {found}",
            "put back what the run was begun with: table, card, surrogate, images, METAOPT_HOME, metaopt's version; or "
            "begin a new run",
        )


def changed_problem(stated: Any, description: Mapping[str, Any]) -> str:
    """Returns in words what differs between two descriptions of an objective; empty if nothing does.

    What only one of the two states is no difference, nor is the machine.
    """
    now = {name: value for name, value in description.items() if name not in _OF_THE_MACHINE}
    return _listed(list(_differences("", stated, json.loads(json.dumps(now)))))


def check_same_run(journal: Path, header: Mapping[str, Any], of: Mapping[str, Any]) -> None:
    """Refuses the journal of a confirmation that is not of this run.

    Args:
        journal: Of the confirmation.
        header: Its first line.
        of: The first line of the run's journal.

    Raises:
        JournalError: naming what differs.
    """
    pairs = ((name, _lasting(header.get(name)), _lasting(of.get(name))) for name in (*_OF_THE_RUN, "objective"))
    if found := [one for name, here, there in pairs for one in _differences(name, here, there, strict=True)]:
        raise JournalError(
            f"{journal} confirms another run than that of the folder above: {_listed(found)}",
            "move the folder of the confirmation away; it is made again",
        )


def _lasting(stated: Any) -> Any:
    """Returns what a run keeps, without the settings that may change once it is begun."""
    if not isinstance(stated, Mapping):
        return stated
    return {name: value for name, value in stated.items() if name not in (*RESUMABLE, *EXTENDABLE)}


def changed_versions(header: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Returns in words which libraries are of other versions than when the run was begun; empty if none is."""
    stated = header.get("versions")
    before = stated if isinstance(stated, Mapping) else {}
    changed = [f"{name} {version}, not {shown(before[name])}" for name, version in versions.items()
               if name in before and before[name] != version]  # fmt: skip
    return f"other versions than the run was begun with: {'; '.join(changed)}" if changed else ""


def _differences(name: str, stated: Any, now: Any, *, strict: bool = False) -> Iterator[str]:
    """Yields what differs, by its name; what only one of two mappings holds is no difference, unless ``strict``."""
    if isinstance(stated, Mapping) and isinstance(now, Mapping):
        for key in stated.keys() | now.keys() if strict else stated.keys() & now.keys():
            yield from _differences(f"{name}.{key}" if name else str(key), stated.get(key), now.get(key), strict=strict)
    elif not _is_equal(stated, now):
        yield f"{name or 'objective'} was {shown(stated)} and is {shown(now)}"


def _is_equal(stated: Any, now: Any) -> bool:
    if isinstance(stated, list) and isinstance(now, list):
        return len(stated) == len(now) and all(map(_is_equal, stated, now))
    if isinstance(stated, float | int) and isinstance(now, float | int) and not isinstance(stated, bool):
        return not isinstance(now, bool) and math.isclose(stated, now, rel_tol=_RELATIVE, abs_tol=1e-12)
    return type(stated) is type(now) and bool(stated == now)


def _listed(found: list[str]) -> str:
    named = sorted(found)[:_MOST_NAMED]
    more = len(found) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")
