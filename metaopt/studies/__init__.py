"""Several runs that are compared."""
