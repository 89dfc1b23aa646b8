"""A plugin of pytest that writes down what the collected tests prove: `--proofs FILE`. Used by `tools/conformance.py`."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import TypedDict

import pytest
from tests.conformance.proofs import MARKER, Proof, Service
from tests.conformance.services import SERVICES, Conversation


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
            name, source = _name(item), _source(item)
            tests.setdefault(name, Listed(source=source, cells=[]))["cells"].extend(cells)
    path = session.config.getoption("--proofs")
    assert isinstance(path, Path)
    path.write_text(json.dumps(tests), encoding="utf-8")


def _conversation(item: pytest.Item) -> Conversation | None:
    """The row of the matrix that a test runs, if it is a test of the matrix."""
    parameters: Mapping[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    service = parameters.get("service")
    return SERVICES.get(service) if isinstance(service, Service) else None


def _name(item: pytest.Item) -> str:
    """File and function, and the row of the matrix."""
    name = item.nodeid.partition("[")[0]
    conversation = _conversation(item)
    return name if conversation is None else f"{name}: {conversation.__name__.strip('_')}"


def _source(item: pytest.Item) -> str:
    """What the test does: in the matrix, the conversation and then what is around all of them."""
    functions: list[object] = [_conversation(item), getattr(item, "function", None)]
    return "\n\n".join(dedent(inspect.getsource(each)) for each in functions if inspect.isfunction(each))
