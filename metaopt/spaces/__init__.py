"""Hyperparameters: ConfigSpaces by name or file, with one meaning."""
