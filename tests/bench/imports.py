"""How long a fresh interpreter takes to import either side, in CPU milliseconds."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.bench.measures import Pair
from tests.interop import peer

__all__ = ["importing"]

_TIMED = "import time; begin = time.process_time(); {statement}; print(1000 * (time.process_time() - begin))"


def importing() -> Mapping[str, Pair]:
    """Each import once, in a process of its own."""
    bare = _milliseconds([sys.executable], "import meterwright")
    theirs = _milliseconds([str(peer.interpreter()), "-E", "-s"], "import gurux_dlms")
    client = _milliseconds([sys.executable], "from meterwright import Client")
    return {"import_bare": Pair(bare, theirs), "import_client": Pair(client, theirs)}


def _milliseconds(interpreter: Sequence[str], statement: str) -> float:
    command = [*interpreter, "-c", _TIMED.format(statement=statement)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
