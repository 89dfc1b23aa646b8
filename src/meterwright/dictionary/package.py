"""How the dictionary's TOML files are read: from the installed package, once each, when first asked for."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import TypeGuard

__all__ = ["Table", "items", "load", "table_of", "tables", "text_of"]

Table = dict[str, object]


@cache
def load(name: str) -> Table:
    """The document `name` of this package. It ships with the code, so a fault in it is a mistake of ours."""
    document: Table = tomllib.loads(files("meterwright.dictionary").joinpath(name).read_text("utf-8"))
    return document


def tables(document: Table, key: str) -> list[Table]:
    """The array of tables under `key`; empty where there is none."""
    return [each for each in items(document.get(key, [])) if _is_table(each)]


def table_of(document: Table, key: str) -> Table:
    """The table under `key`; TypeError where there is none."""
    found = document.get(key)
    if not _is_table(found):
        raise TypeError(f"{key} is no table")
    return found


def text_of(table: Table, key: str) -> str:
    """The text under `key`; TypeError where there is none."""
    found = table.get(key)
    if not isinstance(found, str):
        raise TypeError(f"{key} is no text in {table}")
    return found


def items(value: object) -> list[object]:
    """The items of an array; TypeError where it is none."""
    if not _is_list(value):
        raise TypeError(f"{value!r} is no array")
    return value


def _is_table(value: object) -> TypeGuard[Table]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
