"""Codec work, the same octets on both sides: what our side does, and the name of what the peer does with them.

Each operation does what an application asks for, from the octets to a Python value or back, by public names alone. That it
does so is checked before it is timed, here as well as by the peer (tests/interop/gurux_bench.py).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from meterwright import Clock, CosemDateTime, Data, DataTag, ImageTransfer, Obis
from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    decode_apdu,
)
from meterwright.data import double_long_unsigned
from meterwright.values import ActionResult, InvokeIdAndPriority

__all__ = ["Operation", "operations"]

BLOCK = 256
_INVOKE = InvokeIdAndPriority(1)
_CLOCK = Obis.parse("0.0.1.0.0.255")
_IMAGE_TRANSFER = Obis.parse("0.0.44.0.0.255")
_MOMENT = datetime(2026, 3, 29, 1, 30, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Operation:
    """`key` is the measure's, `peer` the name of the same work in gurux_bench.py; `scale` counts the rows of one go."""

    key: str
    peer: str
    octets: bytes
    work: Callable[[], object]
    scale: int = 1


def operations(profile_rows: int) -> tuple[Operation, ...]:
    """All of them; the profile buffer has so many rows."""
    profile = _profile(profile_rows)
    buffer = profile.to_octets()
    return (
        _decoding_clock(),
        Operation("decode_profile", "profile_buffer_data", buffer, _decoding_profile(profile), profile_rows),
        Operation("encode_profile", "profile_buffer_values", buffer, profile.to_octets, profile_rows),
        _encoding_get(),
        _encoding_block(),
        _decoding_block_answer(),
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


def _encoding_block() -> Operation:
    """As an update does it: the block is cut out of the image by the block size, which a meter told."""
    image = bytes(range(256)) * 2
    size = ImageTransfer.image_block_size.type.from_data(double_long_unsigned(BLOCK))
    transfer = ImageTransfer.image_block_transfer

    def encode() -> bytes:
        parameter = transfer.parameter(size.cut(image, 0))
        descriptor = MethodDescriptor(ImageTransfer.class_id, _IMAGE_TRANSFER, transfer.method_id)
        return ActionRequestNormal(_INVOKE, descriptor, parameter).to_octets()

    octets = encode()
    number_and_length = struct.pack(
        ">BIBBH", DataTag.DOUBLE_LONG_UNSIGNED, 0, DataTag.OCTET_STRING, 0x82, BLOCK
    )
    assert octets[-BLOCK - len(number_and_length) :] == number_and_length + image[:BLOCK]
    return Operation("encode_block", "action_request_image_block", octets, encode)


def _decoding_block_answer() -> Operation:
    octets = ActionResponseNormal(_INVOKE, ActionResult.SUCCESS, None).to_octets()

    def decode() -> ActionResult:
        response = decode_apdu(octets)
        if isinstance(response, ActionResponseNormal):
            return response.result
        raise AssertionError(response)

    assert decode() is ActionResult.SUCCESS
    return Operation("decode_block_answer", "action_response_normal", octets, decode)
