"""What a study says across its groups: curves, final regrets, tests, ranks, targets, a checklist."""
