"""One-shot optimizers train a supernet and pick a cell; see :mod:`metaopt.oneshot.base` for the contract.

A new one is one file, one line here, its default space in ``spaces/``, and one line in
``tests/oneshot/test_contract.py``.
"""

ONESHOT = {
    "darts": "metaopt.oneshot.darts:Darts",
    "darts2": "metaopt.oneshot.darts2:Darts2",
    "enas": "metaopt.oneshot.enas:Enas",
    "gdas": "metaopt.oneshot.gdas:Gdas",
    "pcdarts": "metaopt.oneshot.pcdarts:PcDarts",
    "proxyless": "metaopt.oneshot.proxyless:Proxyless",
    "randomws": "metaopt.oneshot.randomws:RandomWs",
}
