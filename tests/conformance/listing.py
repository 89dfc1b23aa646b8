"""A plugin of pytest that writes down what the collected tests prove: `--proofs FILE`. Used by `tools/conformance.py`."""

import inspect
import json
from pathlib import Path
from textwrap import dedent
from typing import TypedDict

import pytest
from tests.conformance.proofs import MARKER, Proof


class Listed(TypedDict):
    """One test."""

    source: str
    cells: list[Proof]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write it."""
    parser.addoption("--proofs", type=Path, help="write what the tests prove to this file")


def pytest_collection_finish(session: pytest.Session) -> None:
    """All tests are known: each with the cells it proves, and its source."""
    tests: dict[str, Listed] = {}
    for item in session.items:
        cells = [cell for marker in item.iter_markers(MARKER) for cell in marker.args]
        if cells:
            name = item.nodeid.partition("[")[0]
            tests.setdefault(name, Listed(source=_source(item), cells=[]))["cells"].extend(cells)
    path = session.config.getoption("--proofs")
    assert isinstance(path, Path)
    path.write_text(json.dumps(tests), encoding="utf-8")


def _source(item: pytest.Item) -> str:
    function: object = getattr(item, "function", None)
    assert inspect.isfunction(function)
    return dedent(inspect.getsource(function))
