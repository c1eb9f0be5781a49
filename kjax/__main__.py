"""`python -m kjax`."""

from __future__ import annotations

import sys

from kjax.cli import main

if __name__ == "__main__":
    sys.exit(main())
