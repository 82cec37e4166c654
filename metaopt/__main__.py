"""``python -m metaopt`` is ``metaopt``."""

import sys

from metaopt.cli import main

if __name__ == "__main__":
    sys.exit(main())
