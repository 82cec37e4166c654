"""Objectives turn a trial into a result; see :mod:`metaopt.objectives.base` for the contract."""

OBJECTIVES = {
    "oneshot": "metaopt.objectives.oneshot:OneShot",
    "table": "metaopt.objectives.table:TableLookup",
}
