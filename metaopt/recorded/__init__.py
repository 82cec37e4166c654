"""Recorded searches: what real searches of one-shot optimizers were worth, epoch by epoch, as one table."""
