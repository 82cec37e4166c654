"""Checks of what metaopt needs of a machine."""
