"""Tunes the hyperparameters of one-shot NAS optimizers and compares them honestly with black-box NAS.

The command line is the main way in, see ``metaopt --help``. From Python: a trial goes to an objective and a result
comes back; tuners are in :mod:`metaopt.tuners`, one-shot optimizers in :mod:`metaopt.oneshot`, spaces in
:mod:`metaopt.spaces.space`, and the contracts for adding to them in :mod:`metaopt.testing`.
"""

# First of all, so that what follows is not imported from the current folder.
from metaopt.core import safe_path  # isort: skip

from metaopt.core.distribution import VERSION
from metaopt.core.errors import MetaoptError
from metaopt.core.trial import Result, Trial

__all__ = ["MetaoptError", "Result", "Trial", "__version__", "safe_path"]

__version__ = VERSION
