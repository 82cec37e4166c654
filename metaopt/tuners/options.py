"""A tuner's options are its constructor's keyword-only arguments: its signature is their schema."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

from metaopt.core.errors import ConfigError, unknown_name
from metaopt.core.wording import shown
from metaopt.settings.field import convert
from metaopt.tuners.base import Tuner

#: Largest number that an option takes: whatever it counts, more would fill the memory or take for ever.
MOST_OPTION = 100_000

_SETTINGS_OF_THE_RUN = set(inspect.signature(Tuner.__init__).parameters)


def check_options(tuner: type[Tuner], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of ``tuner``: the given ones as their annotated types, the others with their defaults.

    Args:
        tuner: A tuner class.
        options: Values from a run file, or text from the command line, where a list is ``a,b`` or ``[a,b]``.

    Raises:
        ConfigError: if an option is unknown, lacking or of another type; one error names them all.
    """
    allowed = option_defaults(tuner)
    hints = get_type_hints(tuner.__init__)
    errors = [unknown_name("option", name, allowed).message for name in options if name not in allowed]
    bound: dict[str, Any] = {}
    for name, default in allowed.items():
        if name not in options and default is inspect.Parameter.empty:
            errors.append(f"option {shown(name)} is needed")
            continue
        try:
            bound[name] = convert(options[name], hints[name]) if name in options else default
            if isinstance(bound[name], int | float) and abs(bound[name]) > MOST_OPTION:
                errors.append(f"option {shown(name)} is {shown(bound[name])}; allowed: at most {MOST_OPTION}")
        except ValueError as error:
            errors.append(f"option {shown(name)} must be {error}, got {shown(options[name])}")
    if errors:
        raise ConfigError(
            f"{tuner.__name__}: {'; '.join(errors)}",
            "change {--tuner_options}; metaopt tuner show NAME lists the options of a tuner",
        )
    return bound


def option_defaults(tuner: type[Tuner]) -> dict[str, Any]:
    """Returns the options of ``tuner`` and their defaults, ``inspect.Parameter.empty`` where there is none."""
    parameters = inspect.signature(tuner.__init__).parameters.items()
    return {name: parameter.default for name, parameter in parameters if name not in _SETTINGS_OF_THE_RUN}
