"""Settings as dataclasses; reads no file and no environment."""
