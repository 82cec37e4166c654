"""The sections of pages."""
