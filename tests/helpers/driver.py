"""The command line with the objective of tests/helpers/faults.py in place of the real one, as a process to be killed.

``DRIVER_OBJECTIVE`` names another one.
"""

from __future__ import annotations

import os
import sys

from metaopt.cli import main
from metaopt.objectives import OBJECTIVES

if __name__ == "__main__":
    OBJECTIVES["oneshot"] = os.environ.get("DRIVER_OBJECTIVE", "faults:Faults")
    sys.exit(main(sys.argv[1:]))
