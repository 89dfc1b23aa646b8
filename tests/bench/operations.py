"""Codec work, the same octets on both sides: what our side does, and the name of what the peer does with them.

Each operation does what an application asks for, from the octets to a Python value or back, by public names alone. That it
does so is checked before it is timed, here as well as by the peer (tests/interop/gurux_bench.py).
"""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.bench.frames import frame_operations
from tests.bench.image_block import ciphered_block_operations, plain_block_operations
from tests.bench.operation import Operation

from meterwright import Clock, CosemDateTime, Data, DataTag, Obis
from meterwright.apdu import AttributeDescriptor, GetRequestNormal, GetResponseNormal, decode_apdu
from meterwright.values import InvokeIdAndPriority

__all__ = ["operations"]

_INVOKE = InvokeIdAndPriority(1)
_CLOCK = Obis.parse("0.0.1.0.0.255")
_MOMENT = datetime(2026, 3, 29, 1, 30, 15, tzinfo=UTC)


def operations(profile_rows: int) -> tuple[Operation, ...]:
    """All of them; the profile buffer has so many rows."""
    profile = _profile(profile_rows)
    buffer = profile.to_octets()
    return (
        _decoding_clock(),
        Operation("decode_profile", "profile_buffer_data", buffer, _decoding_profile(profile), profile_rows),
        Operation("encode_profile", "profile_buffer_values", buffer, profile.to_octets, profile_rows),
        _encoding_get(),
        *plain_block_operations(),
        *ciphered_block_operations(),
        *frame_operations(),
    )


def _decoding_clock() -> Operation:
    """As far as a datetime: the date-time alone would be 12 octets that nobody has looked at."""
    time_type = Clock.time.type
    octets = GetResponseNormal(_INVOKE, time_type(CosemDateTime.from_datetime(_MOMENT))).to_octets()

    def decode() -> datetime:
        response = decode_apdu(octets)
        if isinstance(response, GetResponseNormal) and isinstance(response.result, Data):
            return time_type.from_data(response.result).to_datetime()
        raise AssertionError(response)

    assert decode() == _MOMENT
    return Operation("decode_clock", "get_response_clock", octets, decode)


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


def _encoding_get() -> Operation:
    def encode() -> bytes:
        descriptor = AttributeDescriptor(Clock.class_id, _CLOCK, Clock.time.attribute_id)
        return GetRequestNormal(_INVOKE, descriptor, None).to_octets()

    octets = encode()
    assert octets == bytes.fromhex("c001c100080000010000ff0200")
    return Operation("encode_get", "get_request_normal", octets, encode)
