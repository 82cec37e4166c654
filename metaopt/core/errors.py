"""The errors a user can cause: one line that says what, got and allowed, and a hint that says what to do next."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Self

from metaopt.core.harmless import harmless
from metaopt.core.wording import shown

#: Characters of the longest message: whatever values it names, it can be read.
_LONGEST = 4000

#: Ratio of ``difflib`` from which a name is a misspelt other one; that of ``temperature`` and ``perturb`` is 2/3.
_NEAR = 0.7

#: A setting in a text, which flags, files and the environment name each in its way.
_SETTING = re.compile(r"\{--([a-z_]+)\}")

#: The next step where a part of metaopt is lacking; names no package of ours, since anybody could register the name.
REINSTALL = "install metaopt again, from where you have it: see Install in its README"


class MetaoptError(Exception):
    """A mistake that its message explains; the command line prints it without a traceback and exits with 2.

    Args:
        message: What is wrong, what was given and what is allowed, in one sentence; cut where it is endless,
            and harmless to a terminal whatever it quotes. A setting stands as ``{--its_name}``.
        hint: The next step, as an imperative or a command; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self._said: tuple[str, ...] = (_cut(harmless(message)), _cut(harmless(hint)))
        self.message, self.hint = map(_with_flags, self._said)
        super().__init__(self.message, self.hint)

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def naming(self, written: Callable[[str], str]) -> Self:
        """Returns the same error for settings that are not given as flags.

        Args:
            written: Name of a setting, such as ``min_epochs``, to how it is given.
        """
        return type(self)(*(_SETTING.sub(lambda found: written(found[1]), text) for text in self._said))


def _with_flags(text: str) -> str:
    return _SETTING.sub(lambda found: flag(found[1]), text)


def flag(setting: str) -> str:
    """Returns the command line's flag for a setting."""
    return "--" + setting.replace("_", "-")


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    # Most often it is in the middle that a value or a path stands which is too long, and at the end what was wrong.
    start, end = text[: _LONGEST - 1050], text[-1000:]
    return f"{start} ... ({len(text) - len(start) - len(end)} more characters) ... {end}"


class ConfigError(MetaoptError):
    """A flag, a run file, a space file or a hyperparameter value that cannot be used."""


class CellError(MetaoptError, ValueError):
    """A graph that is no cell: what is before it, such as a file and a line, is said by whoever has read it."""


class TableError(MetaoptError):
    """A table that is missing, damaged, or does not hold what was asked of it."""


class ImageError(MetaoptError):
    """Images that are missing, damaged, or of another data set than they are said to be."""


class RunError(MetaoptError):
    """A run folder that is missing, in use, not writable, or not a run folder."""


class JournalError(RunError):
    """A journal that is damaged elsewhere than in its last line, or that does not fit its tuner."""


def with_extra(extra: str) -> str:
    """Returns the next step where a package is lacking that only an extra of metaopt brings along."""
    return REINSTALL.replace("again", f"with its extra {extra}")


def nearest(given: str, allowed: Iterable[str]) -> str:
    """Returns the allowed name of which ``given`` is a misspelling; empty if there is none."""
    names = sorted(allowed)
    given = given[:_LONGEST]  # what is longer is no misspelt name
    swapped = [name for name in names if sorted(name) == sorted(given)]  # which the ratio of short names is too low for
    near = difflib.get_close_matches(given, names, n=1, cutoff=_NEAR) or swapped
    return near[0] if near else ""


def unknown_name(kind: str, given: str, allowed: Iterable[str], hint: str = "") -> ConfigError:
    """Returns the error for a name that is not in a registry, with the nearest allowed one.

    Args:
        kind: What the name stands for, e.g. ``"tuner"``.
        given: The name as the user wrote it.
        allowed: All names that would have been accepted.
        hint: The next step; empty for none.
    """
    names = sorted(allowed)
    near = nearest(given, names)
    guess = f"; did you mean {near!r}?" if near else ";"
    return ConfigError(f"unknown {kind} {shown(given)}{guess} allowed: {', '.join(names) or 'none'}", hint)


def raise_together(problems: Iterable[MetaoptError]) -> None:
    """Raises all problems as one error; does nothing if there is none."""
    found = list(problems)
    if len(found) == 1:
        raise found[0]
    if found:
        texts = ["\n  ".join(filter(None, problem._said)).replace("\n", "\n  ") for problem in found]
        raise ConfigError(f"{len(found)} settings cannot be used:\n- " + "\n- ".join(texts))
