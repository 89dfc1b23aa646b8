"""`make bench`: what Meterwright costs, beside gurux-dlms, in one table.

    python tests/bench/run.py [--rounds N] [--json] [--small]

A script, so that `make` can start it by its path; the benchmark itself is `tests.bench.command`.
"""

import sys
from pathlib import Path


def main() -> int:
    """Run the benchmark; the exit code."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # tests share code as tests.some.module
    from tests.bench.command import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
