"""The buffer of a load profile: as a tree, and as rows beside a bare `struct` that reads what it is told stands there."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from tests.bench.operation import Operation

from meterwright import CosemDateTime, Data, DataTag
from meterwright.data import decode_rows, encode_rows

__all__ = ["profile_operations"]

_ROW: Final = struct.Struct(">4x12sxIxIxIxixHxHxB")
_DECODE: Final = "profile_buffer_data"
_ENCODE: Final = "profile_buffer_values"


def profile_operations(rows: int) -> tuple[Operation, ...]:
    """The buffer has so many rows. The peer leaves time stamps as octets, also where we make values of them."""
    profile = _profile(rows)
    buffer = profile.to_octets()
    return (
        Operation("decode_profile", _DECODE, buffer, _decoding_profile(profile), rows),
        Operation("encode_profile", _ENCODE, buffer, profile.to_octets, rows),
        Operation("decode_rows", _DECODE, buffer, _decoding_rows(profile), rows, _unpacking(buffer, rows)),
        Operation("decode_rows_times", _DECODE, buffer, _decoding_times(profile), rows),
        Operation("encode_rows", _ENCODE, buffer, _encoding_rows(buffer), rows),
    )


def _profile(count: int) -> Data:
    """A load profile: a time stamp every 15 minutes as meters send it, 3 u32, i32, 2 u16, u8."""
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    return Data(DataTag.ARRAY, tuple(_profile_row(begin + 900 * index, index) for index in range(count)))


def _profile_row(seconds: int, index: int) -> Data:
    stamp = CosemDateTime.from_datetime(datetime.fromtimestamp(seconds, UTC)).to_octets()
    energies = tuple(Data(DataTag.DOUBLE_LONG_UNSIGNED, 100_000 * column + 37 * index) for column in range(3))
    measured = (
        Data(DataTag.DOUBLE_LONG, 500 - index),
        Data(DataTag.LONG_UNSIGNED, 2300 + index % 50),
        Data(DataTag.LONG_UNSIGNED, 5000),
        Data(DataTag.UNSIGNED, index % 8),
    )
    return Data(DataTag.STRUCTURE, (Data(DataTag.OCTET_STRING, stamp), *energies, *measured))


def _decoding_profile(profile: Data) -> Callable[[], Data]:
    octets = profile.to_octets()

    def decode() -> Data:
        return Data.from_octets(octets)

    assert decode() == profile
    return decode


def _values(profile: Data) -> list[tuple[object, ...]]:
    """What the tree holds."""
    assert isinstance(profile.value, tuple)
    return [tuple(node.value for node in row.value) for row in profile.value if isinstance(row.value, tuple)]


def _decoding_rows(profile: Data) -> Callable[[], object]:
    octets = profile.to_octets()
    assert decode_rows(octets).rows == _values(profile)
    return lambda: decode_rows(octets)


def _decoding_times(profile: Data) -> Callable[[], object]:
    octets = profile.to_octets()
    moments = [row[0] for row in decode_rows(octets, (0,)).rows]
    assert all(isinstance(moment, CosemDateTime) for moment in moments)
    assert [moment.to_octets() for moment in moments] == [row[0] for row in _values(profile)]
    return lambda: decode_rows(octets, (0,))


def _encoding_rows(buffer: bytes) -> Callable[[], bytes]:
    shape, rows = decode_rows(buffer)
    assert shape is not None

    def encode() -> bytes:
        return encode_rows(shape, rows)

    assert encode() == buffer
    return encode


def _unpacking(buffer: bytes, rows: int) -> Callable[[], object]:
    """The rows without a look at what stands between the values."""
    head = len(buffer) - rows * _ROW.size

    def unpack() -> list[tuple[object, ...]]:
        return list(_ROW.iter_unpack(buffer[head:]))

    assert unpack() == decode_rows(buffer).rows
    return unpack
