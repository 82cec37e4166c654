"""Whether a tuner has proposed anything but draws yet: until then it was random search, whatever its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from metaopt.core.trial import Trial
from metaopt.core.wording import counted


@dataclass(frozen=True, slots=True)
class _Sign:
    """How the memos of a tuner tell what it has found itself from what it has drawn.

    Attributes:
        field: Of a memo.
        drawn: Its value where the configuration was drawn.
        until: What the tuner was until then.
        own: What it proposes then.
        option: Its option that says when.
        counts: What that option counts; begins the run, or has to be there.
        hint: What to do about it.
    """

    field: str
    drawn: object
    until: str
    own: str
    option: str
    counts: str
    hint: str = "lower it, or give the run a larger budget"


_RANDOM, _BRACKETS = "random search", "Hyperband"
_MODEL = "the choice of its model"
_SIGNS = {
    "bananas": _Sign("model_based", False, _RANDOM, _MODEL, "n_initial", "evaluations before the first fit"),
    "bohb": _Sign("model_based", False, _BRACKETS, _MODEL, "min_points_in_model", "good results that a model needs"),
    "local_search": _Sign("draw", True, _RANDOM, "a neighbor of another", "n_starts", "draws before a climb"),
    "re": _Sign(
        "parent",
        None,
        _RANDOM,
        "a mutant",
        "population",
        "draws before the first mutation, unless n_initial says otherwise",
        "10 to 30 suit budgets of about 50",
    ),
    "smac": _Sign(
        "model_based", False, "a space-filling design", _MODEL, "n_initial", "evaluations before the first forest"
    ),
    "smac_mf": _Sign("model_based", False, _BRACKETS, _MODEL, "min_trials", "results that a forest needs"),
    "tpe": _Sign("model_based", False, _RANDOM, _MODEL, "startup", "results that a model needs"),
    "tpe_hb": _Sign("model_based", False, _BRACKETS, _MODEL, "startup", "results that a model needs"),
}


def only_draws(settings: Mapping[str, Any], trials: Collection[Trial]) -> str:
    """Returns in a sentence that a tuner has only drawn so far, and which option decides it.

    Args:
        settings: Of the run, or of runs that are repeats of each other.
        trials: Of all of them.

    Returns:
        Nothing where one of them was proposed by more than chance, where the memos do not say it, or of tuners that
        only draw.
    """
    tuner = str(settings.get("tuner"))
    sign = _SIGNS.get(tuner)
    if sign is None or not trials or not all(_is_draw(sign, trial.memo) for trial in trials):
        return ""
    value = (settings.get("tuner_options") or {}).get(sign.option)
    here = "" if value is None else f", here {value}"
    return (
        f"{tuner} was {sign.until} so far: of {counted(len(trials), 'trial')} none is {sign.own}. Its option "
        f"{sign.option} counts {sign.counts}{here}; {sign.hint}."
    )


def _is_draw(sign: _Sign, memo: Mapping[str, Any]) -> bool:
    return sign.field in memo and memo[sign.field] is sign.drawn
