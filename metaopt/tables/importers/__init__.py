"""Tables that others have published, brought into the schema of ours: one file each."""

#: Names to functions ``(file, report) -> (Evaluations, provenance)``; ``report`` is called now and then, as
#: :class:`metaopt.tables.importers.rules.Report` says.
IMPORTERS = {
    "nasbench101": "metaopt.tables.importers.nasbench101:nasbench101",
    "nb1shot1-npz": "metaopt.tables.importers.nb1shot1_npz:nb1shot1_npz",
    "csv": "metaopt.tables.importers.tabular:csv",
    "parquet": "metaopt.tables.importers.tabular:parquet",
}

#: The benchmarks that they are the table of; others are whatever the user says.
BENCHMARKS = {"nasbench101": "nasbench101", "nb1shot1-npz": "nasbench101"}
