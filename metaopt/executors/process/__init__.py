"""A trial in a process of its own."""
