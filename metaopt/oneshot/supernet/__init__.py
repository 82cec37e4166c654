"""The supernet and its evaluation."""
