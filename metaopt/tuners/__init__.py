"""Tuners propose configurations by ask and tell; see :mod:`metaopt.tuners.base` for the contract.

A new tuner is one file, one line here, and one line in ``tests/tuners/test_contract.py``.
"""

TUNERS = {
    "bananas": "metaopt.tuners.bananas:Bananas",
    "bohb": "metaopt.tuners.bohb:BOHB",
    "design": "metaopt.tuners.design:Design",
    "grid": "metaopt.tuners.grid:Grid",
    "hyperband": "metaopt.tuners.hyperband:Hyperband",
    "local_search": "metaopt.tuners.local_search:LocalSearch",
    "random": "metaopt.tuners.random:Random",
    "re": "metaopt.tuners.regularized_evolution:RegularizedEvolution",
    "reinforce": "metaopt.tuners.reinforce:Reinforce",
    "smac": "metaopt.tuners.smac:SMAC",
    "smac_mf": "metaopt.tuners.smac_mf:SMACMultiFidelity",
    "tpe": "metaopt.tuners.tpe:TPE",
    "tpe_hb": "metaopt.tuners.tpe_hb:TPEHyperband",
}
