"""What a worker answers to its driver: JSON text, which the driver parses, and no object of a class of the worker's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

#: Characters of an answer; no result that a journal takes has more.
LONGEST = 2**24


class Answer:
    """The kinds of answers."""

    #: With the fields of the result.
    RESULT = "result"
    #: With the name of the machine that does not see the folder of the trial.
    UNSEEN = "unseen"
    #: With message and hint of an error that every trial would meet.
    ERROR = "error"
    #: With nothing: the worker has withdrawn, since it can start no process, and the trial wants another.
    UNFIT = "unfit"


def packed(kind: str, content: Any) -> str:
    """Returns an answer as it is sent."""
    return json.dumps({kind: content})


def unpacked(answer: object) -> Mapping[str, Any]:
    """Returns what an answer holds: its kind, and what belongs to it, of any type.

    Raises:
        ValueError: if it is no answer; says why.
    """
    if type(answer) is not str:
        raise ValueError("it is no text")
    if len(answer) > LONGEST:
        raise ValueError(f"it has {len(answer)} characters; allowed: {LONGEST}")
    try:
        content = json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if type(content) is not dict or len(content) != 1:
        raise ValueError("it is no mapping of one kind of answer")
    return content


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
