"""What every test stands on: repeatable examples, a clean environment, and where the peer and the captures are.

Profiles of hypothesis: `repeatable` (the default, so `make test`) draws the same examples in every run; `soak`
(`make soak`) draws many more, new ones each time, and prints how to repeat a failure.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=100)
settings.register_profile("soak", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile("repeatable")

_PEER_PYTHON = "METERWRIGHT_PEER_PYTHON"
_CAPTURES = "METERWRIGHT_CAPTURES"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person who runs the tests reaches them, and no state of theirs reaches that person."""
    for name in os.environ:
        if name.startswith("METERWRIGHT_") and name not in {_PEER_PYTHON, _CAPTURES}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("METERWRIGHT_STATE", str(tmp_path / "meterwright-state"))


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """The Python of the gurux-dlms peer; a test that needs it fails without it, it is never skipped."""
    python = Path(os.environ.get(_PEER_PYTHON, ROOT / ".venv-peer" / "bin" / "python"))
    if not python.exists():
        pytest.fail(f"the peer's environment is missing ({python}): run `make env`")
    return python


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of recorded frames that METERWRIGHT_CAPTURES names; the test is skipped where there is none."""
    folder = os.environ.get(_CAPTURES)
    if not folder:
        pytest.skip(f"{_CAPTURES} names no folder of captures")
    return Path(folder)
