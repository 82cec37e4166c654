"""Sections, tables and files of a page."""
