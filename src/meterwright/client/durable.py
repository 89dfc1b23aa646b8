"""What makes a file outlive a power cut, besides its own `fsync`: the name it was given must be on the disk too."""

import os
import sys
from pathlib import Path

__all__ = ["sync_folder"]


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk; Windows does so by itself, and can't open folders."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
