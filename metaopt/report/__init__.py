"""The report of one or several runs: one HTML file, figures, and all trials as tables. It reads journals only."""

#: Formats for other programs, to functions from runs to the bytes of one file.
EXPORTERS = {
    "csv": "metaopt.report.interchange:csv_of",
    "json": "metaopt.report.interchange:json_of",
    "optuna": "metaopt.report.optuna_studies:optuna_of",
    "parquet": "metaopt.report.interchange:parquet_of",
}
