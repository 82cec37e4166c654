"""A tuner's options from outside: the fields of its dataclass ``Options`` are their schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.wording import shown
from metaopt.settings.field import check, convert, types_of
from metaopt.tuners.base import Tuner

#: Largest number that an option takes: whatever it counts, more would fill the memory or take for ever.
MOST_OPTION = 100_000


def check_options(tuner: type[Tuner], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of ``tuner``: the given ones as their annotated types, the others with their defaults.

    Args:
        tuner: A tuner class.
        options: Values from a run file, or text from the command line, where a list is ``a,b`` or ``[a,b]``.

    Raises:
        ConfigError: if an option is unknown, lacking, of another type or out of range; one error names them all.
    """
    allowed, types = {field.name: field for field in fields(tuner.Options)}, types_of(tuner.Options)
    errors = [unknown_name("option", name, allowed).message for name in options if name not in allowed]
    bound: dict[str, Any] = {}
    for name, field in allowed.items():
        if name not in options:
            errors += [f"option {shown(name)} is needed"] * (field.default is MISSING)
            continue
        try:
            bound[name] = convert(options[name], types[name])
            if isinstance(bound[name], int | float) and abs(bound[name]) > MOST_OPTION:
                errors.append(f"option {shown(name)} is {shown(bound[name])}; allowed: at most {MOST_OPTION}")
        except ValueError as error:
            errors.append(f"option {shown(name)} must be {error}, got {shown(options[name])}")
    if not errors:
        chosen = tuner.Options(**bound)
        errors = [f"option {problem.message}" for problem in check(chosen)]
    if errors:
        raise ConfigError(
            f"{tuner.__name__}: {'; '.join(errors)}",
            "change {--tuner_options}; metaopt tuner show NAME lists the options of a tuner",
        )
    return asdict(chosen)
