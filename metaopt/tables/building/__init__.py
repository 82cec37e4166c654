"""Trains the cells of a table."""
