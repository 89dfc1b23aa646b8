"""`meterwright get`: attributes of one meter, typed where their class is declared. Several become one list request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from meterwright.apdu import AttributeDescriptor
from meterwright.cli.errors import as_json as error_as_json
from meterwright.cli.errors import show
from meterwright.cli.exit_codes import ExitCode, exit_code
from meterwright.cli.meters import connected, named_meter, split_meter
from meterwright.cli.output import print_json, printable, stdout
from meterwright.cli.reading import Asked, ObjectList, Wanted, parse_wanted
from meterwright.cli.rendering import as_json, as_raw, as_text
from meterwright.cli.running import run
from meterwright.cli.settings import load_settings
from meterwright.client import Client
from meterwright.cosem import Attribute, interface_class
from meterwright.data import Data, scaler_unit
from meterwright.dictionary import describe
from meterwright.errors import DataAccessError, RemoteProtocolError, UsageError
from meterwright.values import Conformance, DataAccessResult, Quantity, ScalerUnit

__all__ = ["Answer", "get", "read_all"]

_SCALED_BY: Final = {(3, 2): 3, (4, 2): 3, (5, 2): 4, (5, 3): 4}
"""Class and attribute of numbers that another attribute gives scaler and unit: (extended, demand) registers."""
_DESCRIPTOR_OCTETS: Final = 10
"""An attribute in a list request: class, logical name, attribute, no selection."""
_LIST_OVERHEAD: Final = 8


def get(
    meter_or_obis: Annotated[
        str,
        Parameter(
            name="URL", help="The meter's address, such as tcp://192.0.2.7?client=16. Left out with --meter."
        ),
    ],
    /,
    *obis: Annotated[
        str,
        Parameter(
            name="OBIS",
            help="What to read: 1.0.1.8.0.255, 1-0:1.8.0, 1.0.1.8.0.255:3 (attribute 3) or "
            "18/0.0.44.0.0.255/2 (class, name, attribute).",
        ),
    ],
    meter: Annotated[Path | None, Parameter(help="The meter's file, instead of its URL.")] = None,
    raw: Annotated[
        bool, Parameter(help="Show what the meter sent, tag by tag, beside what it means.")
    ] = False,
    json: Annotated[bool, Parameter(help="JSON lines on stdout, and nothing else there.")] = False,
) -> int:
    """Read attributes.

    Several are read with one list request where the meter grants that. A class that is not given is looked up in the
    meter's object list. Nothing in the meter is changed.
    """
    url, names = split_meter((meter_or_obis, *obis), meter)
    if not names:
        raise UsageError(
            "nothing is named to read", hint="give logical names: meterwright get URL 1.0.1.8.0.255"
        )
    wanted = [parse_wanted(each) for each in names]
    named = named_meter(url, meter, load_settings())
    return run(_get(named.client(), wanted, raw=raw, json=json))


@dataclass(frozen=True, slots=True)
class Answer:
    """One attribute as it was read: its value, or why there is none."""

    asked: Asked
    result: Data | DataAccessResult
    scaler_unit: ScalerUnit | None = None

    @property
    def attribute_name(self) -> str:
        """What the attribute is called."""
        declared = _declaration(self.asked)
        return f"attribute {self.asked.descriptor.attribute_id}" if declared is None else declared.name

    @property
    def error(self) -> DataAccessError | None:
        """Why there is no value."""
        if isinstance(self.result, Data):
            return None
        return DataAccessError(self.result, about=str(self.asked.descriptor))

    @property
    def value(self) -> object:
        """What the value means: a quantity, a date and time, …; the bare Data where nobody knows more."""
        if not isinstance(self.result, Data):
            return None
        number = self.result.value
        if self.scaler_unit is not None and isinstance(number, int | float) and not isinstance(number, bool):
            return Quantity.scaled(number, self.scaler_unit)
        declared = _declaration(self.asked)
        try:
            return self.result if declared is None else declared.type.from_data(self.result)
        except RemoteProtocolError:  # not of the type that the book wants: shown as it came
            return self.result


async def read_all(client: Client, asked: Sequence[Asked]) -> list[Answer]:
    """Read all of it, numbers of registers with their scaler and unit."""
    scalers = {
        each.descriptor: scaler for each in asked if (scaler := _scaler_of(each.descriptor)) is not None
    }
    wanted = list(dict.fromkeys([*(each.descriptor for each in asked), *scalers.values()]))
    results = dict(zip(wanted, await _read(client, wanted), strict=True))
    return [
        Answer(each, results[each.descriptor], _scaler_unit(results, scalers.get(each.descriptor)))
        for each in asked
    ]


async def _get(client: Client, wanted: Sequence[Wanted], *, raw: bool, json: bool) -> int:
    async with connected(client):
        answers = await read_all(client, await ObjectList(client).resolve(wanted))
    if json:
        for answer in answers:
            print_json(_line(answer))
    else:
        stdout().print(_table(answers, raw=raw))
    errors = [answer.error for answer in answers if answer.error is not None]
    if not json:
        for error in errors:
            show(error)
    return exit_code(errors[0]) if errors else ExitCode.DONE


def _declaration(asked: Asked) -> Attribute[Any] | None:
    """How an attribute is declared; None where its class is not, or has no such attribute."""
    interface = interface_class(asked.descriptor.class_id, asked.version)
    return None if interface is None else interface.attributes.get(asked.descriptor.attribute_id)


def _scaler_of(descriptor: AttributeDescriptor) -> AttributeDescriptor | None:
    attribute_id = _SCALED_BY.get((descriptor.class_id, descriptor.attribute_id))
    if attribute_id is None:
        return None
    return AttributeDescriptor(descriptor.class_id, descriptor.instance_id, attribute_id)


def _scaler_unit(
    results: dict[AttributeDescriptor, Data | DataAccessResult], descriptor: AttributeDescriptor | None
) -> ScalerUnit | None:
    result = None if descriptor is None else results[descriptor]
    if not isinstance(result, Data):
        return None
    try:
        return scaler_unit.from_data(result)
    except RemoteProtocolError:
        return None


async def _read(client: Client, wanted: Sequence[AttributeDescriptor]) -> list[Data | DataAccessResult]:
    if len(wanted) > 1 and Conformance.MULTIPLE_REFERENCES in client.context.conformance:
        return [result for part in _parts(client, wanted) for result in await client.read_list(part)]
    return [await _read_one(client, each) for each in wanted]


def _parts(client: Client, wanted: Sequence[AttributeDescriptor]) -> Iterator[Sequence[AttributeDescriptor]]:
    """As many in one request as the meter takes."""
    most = client.context.max_send_pdu_size
    size = max(1, (most - _LIST_OVERHEAD) // _DESCRIPTOR_OCTETS) if most else len(wanted)
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]


async def _read_one(client: Client, descriptor: AttributeDescriptor) -> Data | DataAccessResult:
    try:
        return await client.read(descriptor)
    except DataAccessError as error:
        return error.result


def _line(answer: Answer) -> dict[str, object]:
    descriptor = answer.asked.descriptor
    named: dict[str, object] = {
        "obis": str(descriptor.instance_id),
        "class_id": descriptor.class_id,
        "attribute": descriptor.attribute_id,
        "name": describe(descriptor.instance_id),
        "attribute_name": answer.attribute_name,
    }
    if answer.error is not None:
        return {**error_as_json(answer.error), **named}
    scaler = answer.scaler_unit
    return {
        **named,
        "value": as_json(answer.value),
        "scaler": None if scaler is None else scaler.scaler,
        "unit": None if scaler is None else scaler.unit.symbol,
        "raw": as_raw(answer.result) if isinstance(answer.result, Data) else None,
    }


def _table(answers: Iterable[Answer], *, raw: bool) -> Table:
    columns = ("OBIS", "name", "attribute", "value", *(("raw",) if raw else ()))
    table = Table(*columns, box=None, pad_edge=False)
    for answer in answers:
        descriptor = answer.asked.descriptor
        value = (
            Text(as_text(answer.value), "bold") if answer.error is None else Text(answer.error.what, "red")
        )
        cells: list[str | Text] = [
            f"{descriptor.instance_id}:{descriptor.attribute_id}",
            describe(descriptor.instance_id),
            answer.attribute_name,
            value,
        ]
        table.add_row(
            *(Text(printable(each)) if isinstance(each, str) else each for each in cells),
            *_raw(answer, raw=raw),
        )
    return table


def _raw(answer: Answer, *, raw: bool) -> list[Text]:
    if not raw:
        return []
    return [Text(_tagged(answer.result) if isinstance(answer.result, Data) else "")]


def _tagged(data: Data) -> str:
    """A node of the tree with its tags: `structure {integer -1, enum 30}`."""
    if isinstance(data.value, tuple):
        return f"{data.tag.label} {{{', '.join(_tagged(each) for each in data.value)}}}"
    shown = data.value.hex() if isinstance(data.value, bytes) else as_text(data.value)
    return f"{data.tag.label} {shown}" if data.value is not None else data.tag.label
