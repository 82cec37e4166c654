"""Surrogate benchmarks: models of a table that answer for the cells it does not hold (NAS-Bench-301, Zela et al. 2022).

A new model is one file, one line here, a space of its hyperparameters in ``spaces/surrogate_NAME.yaml``, and one line
in ``tests/surrogates/test_contract.py``.
"""

SURROGATES = {
    "forest": "metaopt.surrogates.forest:Forest",
    "gin": "metaopt.surrogates.gin:GraphIsomorphismNetwork",
    "lgb": "metaopt.surrogates.lgb:LightGBM",
    "xgb": "metaopt.surrogates.xgb:XGBoost",
}
