"""``metaopt benchmark``: a module for each of its commands."""
