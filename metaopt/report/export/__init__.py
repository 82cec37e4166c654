"""Runs for other tools."""
