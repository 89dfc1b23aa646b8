"""What an OBIS code means, in English, from `obis.toml`: a first cut.

Objects that meters commonly have are named; electricity is composed from its value groups (quantity, processing, rate,
billing period); of anything else the groups are told. There is always an answer.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from meterwright.dictionary.package import Table, items, load, table_of, tables, text_of
from meterwright.values import Obis

__all__ = ["describe", "is_likely", "medium", "object_rows"]

_FILE: Final = "obis.toml"
_ELECTRICITY: Final = 1
_HIGHEST_RATE: Final = 63
_MAKER: Final = range(128, 255)


def describe(obis: Obis) -> str:
    """The code in English: `active energy import, total`. Codes nobody listed are described group by group."""
    return ", ".join(part for part in (_object(obis) or _groups(obis), _channel(obis.b)) if part)


def medium(obis: Obis) -> str:
    """What is measured: electricity, gas, … or `medium 3` where the book has no name."""
    return _names("media").get(obis.a, f"medium {obis.a}")


def is_likely(octets: bytes) -> bool:
    """Whether six octets look like a logical name: a known medium, and neither all zeros nor printable text."""
    return len(octets) == 6 and octets[0] in _names("media") and any(octets) and not octets[1:].isalnum()


def object_rows() -> tuple[tuple[str, str, str], ...]:
    """Pattern, name and source of every listed object, in the order they are looked up: for documentation and tests."""
    return tuple((pattern, name, source) for pattern, name, source, _ in _objects())


def _object(obis: Obis) -> str | None:
    for _, name, _, groups in _objects():
        if all(group is None or group == octet for group, octet in zip(groups, obis.octets, strict=True)):
            return name.format(b=obis.b, e=obis.e)
    return None


@cache
def _objects() -> tuple[tuple[str, str, str, tuple[int | None, ...]], ...]:
    """Pattern, name, source, and the six groups, None for any."""
    found: list[tuple[str, str, str, tuple[int | None, ...]]] = []
    for table in tables(load(_FILE), "objects"):
        source = _source(table)
        for row in items(table.get("rows")):
            pattern, name = (str(text) for text in items(row))
            groups = tuple(None if group == "*" else int(group) for group in pattern.split("."))
            found.append((pattern, name, source, groups))
    return tuple(found)


def _groups(obis: Obis) -> str:
    quantity = _electricity(obis) if obis.a == _ELECTRICITY else None
    if quantity is None:
        named = f"{medium(obis)}: quantity {_numbered(obis.c)}, processing {_numbered(obis.d)}"
        quantity = f"{named}, {_numbered(obis.e)}" if obis.e else named
    return ", ".join(part for part in (quantity, _billing_period(obis.f)) if part)


def _electricity(obis: Obis) -> str | None:
    """Quantity, processing and rate of a code of electricity; None where group C is of no book."""
    processing = _names("electricity", "processing").get(obis.d)
    integral = obis.d in _numbers("processing", "integrals")
    quantity = _quantity(obis.c, integral=integral)
    if quantity is None:
        return None
    if processing is None:
        processing = f"processing {_numbered(obis.d)}"
    detail = _detail(obis, integral=integral)
    return ", ".join(part for part in (quantity, processing, detail) if part)


def _quantity(c: int, *, integral: bool) -> str | None:
    if other := _names("electricity", "others").get(c):
        return other
    if not 1 <= c <= 80:
        return None
    phase = _names("electricity", "phases")[(c - 1) // 20 * 20]
    base = (c - 1) % 20 + 1
    if named := _names("electricity", "quantities").get(base):
        return f"{named}{phase}"
    power, energy = _pairs("powers")[base]
    return f"{energy if integral else power}{phase}"


def _detail(obis: Obis, *, integral: bool) -> str:
    """What group E adds: a rate, a harmonic, an angle."""
    e = obis.e
    if obis.c == 81:
        angles = _names("electricity", "angles")
        reference, measured = angles.get(e // 10), angles.get(e % 10)
        return f"{measured} against {reference}" if measured and reference else f"angle {e}"
    if obis.c in _numbers("harmonics", "quantities") and obis.d in _numbers("harmonics", "processing"):
        return _names("electricity", "harmonics").get(e, f"harmonic {e}")
    if e == 0:
        return "total" if integral else ""
    return f"rate {e}" if e <= _HIGHEST_RATE else _numbered(e)


def _channel(b: int) -> str:
    if b == 0:
        return ""
    return f"channel {b}" if b <= 64 else f"channel {_numbered(b)}"


def _billing_period(f: int) -> str:
    if f == 255:
        return ""
    if f == 101:
        return "last billing period"
    if 102 <= f <= 125:
        return f"billing period {f - 100} back"
    return "all billing periods" if f == 126 else f"billing period {f}"


def _numbered(number: int) -> str:
    return f"{number} (the maker's own)" if number in _MAKER else str(number)


# ------------------------------------------------------------------------------------------------ the file


def _table(*keys: str) -> Table:
    table = load(_FILE)
    for key in keys:
        table = table_of(table, key)
    return table


@cache
def _names(*keys: str) -> Mapping[int, str]:
    """The names of one table by their number."""
    return {int(number): str(name) for number, name in _table(*keys, "names").items()}


@cache
def _pairs(key: str) -> Mapping[int, tuple[str, str]]:
    """The names of a table that has two for each number."""
    found: dict[int, tuple[str, str]] = {}
    for number, names in _table("electricity", key, "names").items():
        first, second = items(names)
        found[int(number)] = (str(first), str(second))
    return found


@cache
def _numbers(key: str, list_name: str) -> frozenset[int]:
    return frozenset(int(str(number)) for number in items(_table("electricity", key)[list_name]))


def _source(table: Table) -> str:
    return text_of(_table("sources"), text_of(table, "source"))
