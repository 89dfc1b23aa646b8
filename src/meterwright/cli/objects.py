"""`meterwright objects`: what a meter has, from the object list of the association: classes, names, and rights in words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from meterwright.cli.class_names import class_name
from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.meters import connected, named_meter, split_meter
from meterwright.cli.output import print_json, stdout
from meterwright.cli.reading import ObjectList
from meterwright.cli.running import run
from meterwright.cli.settings import load_settings
from meterwright.client import Client
from meterwright.cosem import (
    AssociationLn,
    AttributeAccess,
    MethodAccess,
    ObjectListElement,
)
from meterwright.dictionary import describe
from meterwright.errors import UsageError

__all__ = ["describe_rights", "objects"]

_BITS_SINCE: Final = AssociationLn.version
"""From this version of the association on, access rights are bits, before they are modes."""
_ATTRIBUTE_MODES: Final[Mapping[int, str]] = {
    0: "none",
    1: "read",
    2: "write",
    3: "read write",
    4: "read (authenticated)",
    5: "write (authenticated)",
    6: "read write (authenticated)",
}
_METHOD_MODES: Final[Mapping[int, str]] = {0: "none", 1: "call", 2: "call (authenticated)"}
_ATTRIBUTE_BITS: Final = ("read", "write")
_METHOD_BITS: Final = ("call",)
_PROTECTION_BITS: Final[Mapping[int, str]] = {
    2: "request authenticated",
    3: "request encrypted",
    4: "request signed",
    5: "answer authenticated",
    6: "answer encrypted",
    7: "answer signed",
}
Rights = dict[int, str]


def objects(
    meter_url: Annotated[
        str | None,
        Parameter(
            name="URL", help="The meter's address, such as tcp://192.0.2.7?client=16. Left out with --meter."
        ),
    ] = None,
    /,
    *,
    meter: Annotated[Path | None, Parameter(help="The meter's file, instead of its URL.")] = None,
    json: Annotated[bool, Parameter(help="JSON lines on stdout, and nothing else there.")] = False,
) -> int:
    """List the objects of a meter.

    Shows what this association may see: class, version, logical name, what it is, and what may be done with each
    attribute and method.
    """
    url, others = split_meter(() if meter_url is None else (meter_url,), meter)
    if others:
        raise UsageError(
            f"{others[0]!r} is one argument too many", hint="objects takes a meter and nothing else"
        )
    named = named_meter(url, meter, load_settings())
    return run(_objects(named.client(), json=json))


async def _objects(client: Client, *, json: bool) -> int:
    async with connected(client):
        elements = await ObjectList(client).elements()
    version = _association_version(elements)
    if json:
        for element in elements:
            print_json(_line(element, version))
    else:
        stdout().print(_table(elements, version))
    return ExitCode.DONE


def _association_version(elements: Sequence[ObjectListElement]) -> int:
    """The version of the association object, which decides how rights are written; the oldest where it hides itself."""
    versions = [each.version for each in elements if each.class_id == AssociationLn.class_id]
    return max(versions, default=0)


def _line(element: ObjectListElement, version: int) -> dict[str, object]:
    attributes, methods = describe_rights(element, version)
    return {
        "class_id": element.class_id,
        "class_version": element.version,
        "class_name": class_name(element.class_id),
        "obis": str(element.logical_name),
        "name": describe(element.logical_name),
        "attributes": {str(number): right for number, right in attributes.items()},
        "methods": {str(number): right for number, right in methods.items()},
    }


def _table(elements: Sequence[ObjectListElement], version: int) -> Table:
    table = Table("class", "version", "OBIS", "name", "attributes", "methods", box=None, pad_edge=False)
    for element in elements:
        attributes, methods = describe_rights(element, version)
        table.add_row(
            Text(f"{element.class_id} {class_name(element.class_id) or ''}".rstrip()),
            Text(str(element.version)),
            Text(str(element.logical_name), "bold"),
            Text(describe(element.logical_name)),
            Text(_grouped(attributes)),
            Text(_grouped(methods)),
        )
    return table


def describe_rights(element: ObjectListElement, version: int) -> tuple[Rights, Rights]:
    """What may be done with each attribute and each method, in words; `version` is that of the association."""
    rights = element.access_rights
    return (
        {each.attribute_id: _attribute_right(each, version) for each in rights.attribute_access},
        {each.method_id: _method_right(each, version) for each in rights.method_access},
    )


def _attribute_right(access: AttributeAccess, version: int) -> str:
    if version >= _BITS_SINCE:
        return _bits(access.access_mode & 0xFF, _ATTRIBUTE_BITS)
    return _ATTRIBUTE_MODES.get(access.access_mode, f"mode {access.access_mode}")


def _method_right(access: MethodAccess, version: int) -> str:
    mode = access.access_mode.value
    if not isinstance(mode, int):
        return "unknown"
    if version >= _BITS_SINCE:
        return _bits(mode & 0xFF, _METHOD_BITS)
    return _METHOD_MODES.get(int(mode), f"mode {mode}")


def _bits(mode: int, names: Sequence[str]) -> str:
    """What the bits allow, and what protection they ask for."""
    allowed = " ".join(name for bit, name in enumerate(names) if mode >> bit & 1)
    if not allowed:
        return "none"
    protection = ", ".join(name for bit, name in _PROTECTION_BITS.items() if mode >> bit & 1)
    return f"{allowed} ({protection})" if protection else allowed


def _grouped(rights: Rights) -> str:
    """`1–4 6: read; 5: read write`: numbers with the same right together, `none` left out."""
    numbers: dict[str, list[int]] = {}
    for number, right in rights.items():
        if right != "none":
            numbers.setdefault(right, []).append(number)
    return "; ".join(f"{' '.join(_ranges(sorted(each)))}: {right}" for right, each in numbers.items())


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    first = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield _range(first, last)
        first = last = number
    if first is not None and last is not None:
        yield _range(first, last)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
