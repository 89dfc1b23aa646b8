"""See why no invocation counter is used twice, without any meter: run it again, or several at the same time.

    python examples/keep_counters.py STATE

The system title of this installation is drawn once, and kept in the folder STATE. Numbers come from files beside it: a range is
on the disk before the first number of it is handed out. Whoever is killed leaves a gap, and gaps are legal; a number for two
would give the key away. The key is METER_EK in the environment, in hex.
"""

import os
import sys
from pathlib import Path

from meterwright.client import FileCounterStore
from meterwright.client.identity import installation_title
from meterwright.security import CounterOwner, Secret, SendCounter


def main(state: Path) -> None:
    """Take three numbers, as a client does for three messages."""
    title = installation_title(state)
    print(f"our system title is {title.hex().upper()}")
    owner = CounterOwner.of(Secret.from_hex(os.environ["METER_EK"]), title)
    store = FileCounterStore(state / "counters")
    counter = SendCounter(store, owner, batch=16)
    print("numbers for three messages:", *(counter.next() for _ in range(3)))
    print(f"nobody will be given one up to {store.record(owner).reserved} again")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
