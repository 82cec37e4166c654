"""Tuners propose configurations by ask and tell; see :mod:`metaopt.tuners.base` for the contract.

A new tuner is one file, one line here, and one line in ``tests/tuners/test_contract.py``.
"""

TUNERS = {
    "random": "metaopt.tuners.random:Random",
    "bohb": "metaopt.tuners.bohb:BOHB",
}
