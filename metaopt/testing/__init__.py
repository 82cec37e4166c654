"""Contract suites for whoever adds a tuner, an executor or an optimizer: subclass one, name yours, run pytest."""
