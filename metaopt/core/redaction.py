"""Keeps secrets out of what is written down: credentials in addresses, values whose names say that they are secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: What stands in place of a secret.
HIDDEN = "***"

_WORDS = r"passwords?|passwd|passphrase|secrets?|tokens?|credentials?|api[-_]?keys?|access[-_]?keys?"
_SECRET_NAME = re.compile(rf"(?:.*[-_.])?(?:{_WORDS})", re.IGNORECASE)
# Whatever stands between :// and the last @ before a slash or a space.
_USER = re.compile(r"(?<=://)[^/\s@'\"]*(?:@[^/\s@'\"]*)*(?=@)")
_QUERY = re.compile(rf"(?<=[?&])((?:[\w.-]*[-_.])?(?:{_WORDS})=)[^&\s'\"]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """Returns text without the user and password in addresses, and without secrets in their queries."""
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(HIDDEN, text)) if "://" in text else text


def redacted_command(arguments: Sequence[str]) -> list[str]:
    """Returns a command line without secrets: of ``--token X``, ``--token=X`` and ``token=X`` the name is left."""
    kept: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_secret = bool(_SECRET_NAME.fullmatch(name.lstrip("-")))
        if hide_next and not argument.startswith("--"):
            kept.append(HIDDEN)
        elif equals and is_secret:
            kept.append(f"{name}={HIDDEN}")
        else:
            kept.append(redacted(argument))
        hide_next = is_secret and not equals and argument.startswith("--")
    return kept


def redacted_json(value: Any, name: str = "") -> Any:
    """Returns plain JSON values without secrets, at any depth: texts under a secret name, credentials in addresses."""
    if isinstance(value, str):
        return HIDDEN if value and _SECRET_NAME.fullmatch(name) else redacted(value)
    if isinstance(value, Mapping):
        return {key: redacted_json(inner, str(key)) for key, inner in value.items()}
    return [redacted_json(inner, name) for inner in value] if isinstance(value, list | tuple) else value
