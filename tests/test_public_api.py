"""The public names: there, typed as they say, and free until they are used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import meterwright

INIT = Path(meterwright.__file__)


def imported_for_types() -> dict[str, str]:
    """Name to package, as the TYPE_CHECKING block imports it."""
    tree = ast.parse(INIT.read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: (node.module or "").split(".")[1]
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def modules_after(statement: str) -> set[str]:
    """What is imported once a fresh interpreter has run the statement."""
    code = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint(*(set(sys.modules) - before))"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.mark.parametrize("name", meterwright.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(meterwright, name) is not None


def test_what_types_see_is_what_there_is() -> None:
    assert imported_for_types() == dict(meterwright._HOMES)
    assert set(meterwright._HOMES) | {"__version__"} == set(meterwright.__all__)


def test_the_names_are_few() -> None:
    assert 25 <= len(meterwright.__all__) <= 40


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        meterwright.__getattr__("no_such_name")


def test_dir_lists_them() -> None:
    assert set(meterwright.__all__) <= set(dir(meterwright))


def test_importing_the_package_imports_nothing_else() -> None:
    imported = modules_after("import meterwright")
    assert {name for name in imported if name.startswith("meterwright")} == {"meterwright"}
    assert not imported & {"asyncio", "cryptography", "socket", "ssl"}


def test_a_value_brings_no_protocol_with_it() -> None:
    imported = modules_after("from meterwright import Obis")
    assert not any(name.startswith(("meterwright.codec", "meterwright.apdu", "asyncio")) for name in imported)


def test_the_version_is_told_without_reading_the_whole_house() -> None:
    imported = modules_after("from meterwright.cli.commands import app")
    assert "meterwright.codec" not in imported
