"""The name and version that this package is distributed by; it is imported, and called, as ``metaopt``."""

#: On public indexes, the name ``metaopt`` belongs to another project: no text may tell anybody to install that.
NAME = "metaopt-nas"
#: pyproject.toml reads it here.
VERSION = "0.1.0"
