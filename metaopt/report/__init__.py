"""The report of one or several runs: one HTML file, figures, and all trials as tables. It reads journals only."""
