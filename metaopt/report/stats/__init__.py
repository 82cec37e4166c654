"""Statistics over arrays."""
