"""docs/architecture.md is true: every name in it exists."""

import pkgutil
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMES = sorted(
    set(re.findall(r"`((?:[a-z_]+\.)+[A-Za-z_]+(?:\.[A-Za-z_]+)?)`", PAGE)) - {"docs.architecture.md"}
)


def test_the_page_names_the_whole_way() -> None:
    assert len(NAMES) >= 18


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_page_exists(name: str) -> None:
    parts = name.split(".")
    members = next(index for index, part in enumerate(parts) if part[0].isupper() or index == len(parts) - 1)
    target = f"meterwright.{'.'.join(parts[:members])}:{'.'.join(parts[members:])}"
    assert pkgutil.resolve_name(target) is not None


def test_the_page_is_shorter_than_a_page() -> None:
    assert len(PAGE.splitlines()) <= 66
