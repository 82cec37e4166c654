"""Trials on Dask: workers, what watches them, clusters."""
