"""The report of one or several runs: one HTML file, figures, and all trials as tables. It reads journals only."""

#: Formats for other programs, to functions that write the runs in some folders into one file.
EXPORTERS = {
    "csv": "metaopt.report.export.rows:write_csv",
    "json": "metaopt.report.export.files:write_json",
    "optuna": "metaopt.report.export.optuna:write_optuna",
    "parquet": "metaopt.report.export.rows:write_parquet",
}
