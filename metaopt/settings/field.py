"""Fields of settings: their documentation, their flags, and text from outside as values of their types."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import Field, field, fields
from typing import Any, get_args, get_type_hints

from metaopt.core.errors import ConfigError, MetaoptError
from metaopt.core.wording import shown

#: Largest number that a setting takes which says no other limit, and the largest seed.
MOST, MOST_SEED = 10**9, 2**63 - 1

_NUMBER = re.compile(r"\s*[-+]?([0-9.]+(e[-+]?[0-9]+)?|inf|nan)\s*", re.IGNORECASE | re.ASCII)
_LONGEST_NUMBER = 100  # characters
_KINDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "name=value pairs",
    tuple: "a list of texts",
    types.NoneType: "nothing",
}


def setting(default: Any, text: str, flag: str = "", lowest: float | None = None, highest: float | None = None) -> Any:
    """Returns the field of a setting.

    Args:
        default: As of :func:`dataclasses.field`; a dict is copied for every instance.
        text: Help of the flag, and the documentation.
        flag: On the command line, where it is not the field's name.
        lowest: Smallest value that is allowed, of a number.
        highest: Largest one; None: :data:`MOST`, where there is a smallest one.
    """
    highest = MOST if highest is None and lowest is not None else highest
    metadata = {"help": text, "flag": flag, "lowest": lowest, "highest": highest}
    return (
        field(default_factory=dict, metadata=metadata) if default == {} else field(default=default, metadata=metadata)
    )


def flag(of: Field[Any]) -> str:
    """Returns the command line's flag for a setting."""
    return of.metadata["flag"] or "--" + of.name.replace("_", "-")


def beyond_limits(settings: Any) -> Iterator[MetaoptError]:
    """Yields what is wrong with the numbers among ``settings``, a dataclass whose fields are :func:`setting`."""
    for of in fields(settings):
        lowest, highest, value = of.metadata.get("lowest"), of.metadata.get("highest"), getattr(settings, of.name)
        # "not >=" also refuses a value that is not a number.
        if lowest is not None and value is not None and not lowest <= value <= highest:
            allowed = f"at most {highest}" if value > highest else f"{lowest:g} or more"
            yield ConfigError(f"{of.name} is {shown(value)}; allowed: {allowed}", f"change {flag(of)}")


def number(kind: type[Any], text: str) -> Any:
    """Returns a text as a number as everybody writes it: what else Python takes, ``1_0`` or other digits, is refused.

    Args:
        kind: int or float.
        text: From a flag or the environment.

    Raises:
        ValueError: if it is none.
    """
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError
    return kind(text)


def convert(value: Any, kind: type[Any], name: str) -> Any:
    """Returns ``value``, maybe text, as the type of the field ``name`` of the dataclass ``kind``.

    Raises:
        ValueError: with what it must be, such as "a whole number".
    """
    annotation = get_type_hints(kind)[name]
    if annotation == Mapping[str, Any]:
        return _pairs(value)
    if annotation == tuple[str, ...]:
        return _texts(value)
    kinds = get_args(annotation) or (annotation,)
    for one in kinds:
        if type(value) is one:
            return value
        if one is float and type(value) is int:
            return float(value)
        if isinstance(value, str) and one in (int, float):
            try:
                return number(one, value)
            except ValueError:
                continue
    raise ValueError(" or ".join(_KINDS[one] for one in kinds if one is not types.NoneType))


def _pairs(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(name): option for name, option in value.items()}
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and "=" in text for text in texts):
        raise ValueError(_KINDS[dict])
    return dict(text.split("=", 1) for text in texts)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(_KINDS[tuple])
    return tuple(value)
