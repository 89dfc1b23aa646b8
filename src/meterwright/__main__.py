"""`python -m meterwright` is the command line."""

import sys

from meterwright.cli import main

if __name__ == "__main__":
    sys.exit(main())
