"""Codec work, the same octets on both sides: what our side does, and the name of what the peer does with them.

Each operation does what an application asks for, from the octets to a Python value or back, by public names alone. That it
does so is checked before it is timed, here as well as by the peer (tests/interop/gurux_bench.py).
"""

from datetime import UTC, datetime

from tests.bench.frames import frame_operations
from tests.bench.image_block import ciphered_block_operations, plain_block_operations
from tests.bench.operation import Operation
from tests.bench.profile import profile_operations

from meterwright import Clock, CosemDateTime, Data, Obis
from meterwright.apdu import AttributeDescriptor, GetRequestNormal, GetResponseNormal, decode_apdu
from meterwright.values import InvokeIdAndPriority

__all__ = ["operations"]

_INVOKE = InvokeIdAndPriority(1)
_CLOCK = Obis.parse("0.0.1.0.0.255")
_MOMENT = datetime(2026, 3, 29, 1, 30, 15, tzinfo=UTC)


def operations(profile_rows: int) -> tuple[Operation, ...]:
    """All of them; the profile buffer has so many rows."""
    return (
        _decoding_clock(),
        *profile_operations(profile_rows),
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


def _encoding_get() -> Operation:
    def encode() -> bytes:
        descriptor = AttributeDescriptor(Clock.class_id, _CLOCK, Clock.time.attribute_id)
        return GetRequestNormal(_INVOKE, descriptor, None).to_octets()

    octets = encode()
    assert octets == bytes.fromhex("c001c100080000010000ff0200")
    return Operation("encode_get", "get_request_normal", octets, encode)
