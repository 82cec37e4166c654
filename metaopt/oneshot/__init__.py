"""One-shot optimizers train a supernet and pick a cell; see :mod:`metaopt.oneshot.base` for the contract.

A new one is one file, one line here, its default space in ``spaces/``, and one line in
``tests/oneshot/test_contract.py``.
"""

ONESHOT = {
    "darts": "metaopt.oneshot.darts:Darts",
}
