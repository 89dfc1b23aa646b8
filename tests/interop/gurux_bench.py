# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer's speed: the `bench` and `roundtrips` commands of gurux_peer.py, timed inside the peer's process.

`bench` reads one JSON object of hex strings, so that both sides work on the same octets, times those that are there and
gives `{name: operations per CPU second}`, the median of the rounds. What an operation yields is checked before it is timed.

    get_response_clock          APDU, GET-response-normal of clock attribute 2: decoded to the library's date-time
    profile_buffer_data         Data, an array of rows, no APDU around it: decoded to lists; one operation = all rows
    profile_buffer_values       the same Data, decoded before: encoded to these octets; one operation = all rows
    get_request_normal          APDU, GET-request-normal of clock attribute 2 (C1): encoded to these octets
    action_request_image_block  APDU, image_block_transfer of block 0, 256 octets (C1): encoded to these octets
    action_response_normal      APDU, ACTION-response-normal that says success (C1): decoded
    hdlc_frame_to_meter         I-frame, client 16 to meter 1, information field up to 128: built to these octets
    hdlc_frame_from_meter       I-frame, meter 1 to client 16, the first of a connection: parsed

and the two of the block once more, from 4D4D4D0000000001 to 4D4D4D0000BC614E, authenticated and encrypted (SC 30) under
security suite 0 with the books' keys, which are the library's own defaults:

    glo_action_request_image_block  the octets 00 to FF, encoded and encrypted to these, whose counter it takes and goes on from
    glo_action_response_normal      decrypted and decoded (the library does not look whether the tag is right)

"Encoded to these octets" means that anything else is an error; addresses in frames have one octet each. What the library
prints goes nowhere while it is timed: a pipe has its price, and that is not the library's.

`roundtrips` reads the clock of a meter again and again in one association and gives `{count, seconds, cpu_seconds}`;
neither the start of the process nor associating and releasing counts.
"""

import contextlib
import io
import statistics
import time
from collections.abc import Callable
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, Command, DataType, InterfaceType, Security
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.objects import GXDLMSClock, GXDLMSImageTransfer
from gurux_dlms.secure import GXDLMSSecureClient
from gurux_wire import Association

CLIENT_TITLE = bytes.fromhex("4D4D4D0000000001")
METER_TITLE = bytes.fromhex("4D4D4D0000BC614E")
IMAGE_BLOCK = bytes(range(256))


class BenchError(Exception):
    """The library does not do the work that was to be timed."""


class Nowhere(io.TextIOBase):
    """Takes text and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


def pdu_client() -> GXDLMSClient:
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.PDU)


def secure_client() -> GXDLMSSecureClient:
    client = GXDLMSSecureClient(True, 16, 1, Authentication.NONE, None, InterfaceType.PDU)
    client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
    client.ciphering.systemTitle = bytearray(CLIENT_TITLE)
    client.settings.sourceSystemTitle = bytearray(METER_TITLE)
    return client


def decoding_get_response(octets: bytes) -> Callable[[], Any]:
    client, clock = pdu_client(), GXDLMSClock()

    def decode() -> Any:
        reply = GXReplyData()
        client.getData(GXByteBuffer(octets), reply, None)
        client.updateValue(clock, 2, reply.value)
        return clock.time

    if decode().value is None:
        raise BenchError("get_response_clock holds no date-time")
    return decode


def decoding_data(octets: bytes) -> Callable[[], Any]:
    def decode() -> Any:
        return GXDLMSClient.getValue(GXByteBuffer(octets), False)

    if not isinstance(decode(), list):
        raise BenchError("profile_buffer_data is no array")
    return decode


def encoding_data(octets: bytes) -> Callable[[], Any]:
    values = GXDLMSClient.getValue(GXByteBuffer(octets), False)

    def encode() -> Any:
        out = GXByteBuffer()
        _GXCommon.setData(None, out, DataType.ARRAY, values)
        return out.array()

    return alike("profile_buffer_values", octets, encode)


def encoding_get_request(octets: bytes) -> Callable[[], Any]:
    client, clock = pdu_client(), GXDLMSClock()
    return alike("get_request_normal", octets, lambda: client.read(clock, 2)[0])


def encoding_image_block(octets: bytes) -> Callable[[], Any]:
    return alike("action_request_image_block", octets, sending_block(pdu_client(), octets[-256:]))


def encrypting_image_block(octets: bytes) -> Callable[[], Any]:
    client = secure_client()
    client.ciphering.invocationCounter = int.from_bytes(octets[5:9], "big")
    return alike("glo_action_request_image_block", octets, sending_block(client, IMAGE_BLOCK))


def sending_block(client: GXDLMSClient, block: bytes) -> Callable[[], Any]:
    image = GXDLMSImageTransfer()
    image.imageBlockSize = len(block)
    return lambda: image.imageBlockTransfer(client, block, None)[0][0]


def decoding_action_response(octets: bytes) -> Callable[[], Any]:
    return taking_success("action_response_normal", octets, pdu_client())


def decrypting_action_response(octets: bytes) -> Callable[[], Any]:
    return taking_success("glo_action_response_normal", octets, secure_client())


def taking_success(name: str, octets: bytes, client: GXDLMSClient) -> Callable[[], Any]:
    def decode() -> Any:
        reply = GXReplyData()
        client.getData(GXByteBuffer(octets), reply, None)
        return reply

    reply = decode()
    if (
        not reply.complete
        or reply.error
        or (reply.command, reply.invokeId) != (Command.METHOD_RESPONSE, 0xC1)
    ):
        raise BenchError(f"{name} is no answer that says success")
    return decode


def building_frame(octets: bytes) -> Callable[[], Any]:
    settings = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC).settings
    settings.hdlc.maxInfoTX = 128 + 3  # it keeps three octets of the first frame free
    control, information = octets[5], octets[8:-3]
    return alike(
        "hdlc_frame_to_meter",
        octets,
        lambda: GXDLMS.getHdlcFrame(settings, control, GXByteBuffer(information)),
    )


def parsing_frame(octets: bytes) -> Callable[[], Any]:
    settings = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC).settings

    def parse() -> Any:
        settings.resetFrameSequence()
        reply = GXReplyData()
        GXDLMS.getHdlcData(False, settings, GXByteBuffer(octets), reply, None)
        return reply

    if not parse().complete:
        raise BenchError("hdlc_frame_from_meter is no whole frame")
    return parse


def alike(name: str, expected: bytes, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work, once it was seen to give the expected octets."""
    if (made := bytes(work())) != expected:
        raise BenchError(f"{name}: the library makes {made.hex()}, not {expected.hex()}")
    return work


BENCHMARKS = {
    "get_response_clock": decoding_get_response,
    "profile_buffer_data": decoding_data,
    "profile_buffer_values": encoding_data,
    "get_request_normal": encoding_get_request,
    "action_request_image_block": encoding_image_block,
    "action_response_normal": decoding_action_response,
    "glo_action_request_image_block": encrypting_image_block,
    "glo_action_response_normal": decrypting_action_response,
    "hdlc_frame_to_meter": building_frame,
    "hdlc_frame_from_meter": parsing_frame,
}


def rate(work: Callable[[], object], rounds: int, seconds: float) -> float:
    """Operations per CPU second: the median of rounds that last about so many seconds each."""
    count, elapsed = 1, timed(work, 1)
    while elapsed < seconds:
        count = max(count * 2, int(count * 1.2 * seconds / max(elapsed, seconds / 1000)))
        elapsed = timed(work, count)
    return statistics.median(count / timed(work, count) for _ in range(rounds))


def timed(work: Callable[[], object], count: int) -> float:
    """The CPU seconds of so many operations."""
    begin = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - begin


def rates(inputs: dict[str, str], rounds: int, seconds: float) -> dict[str, float]:
    """Operations per CPU second of each input (hex) by its name."""
    if unknown := inputs.keys() - BENCHMARKS.keys():
        raise BenchError(f"unknown benchmarks: {', '.join(sorted(unknown))}")
    with contextlib.redirect_stdout(Nowhere()):
        return {
            name: rate(BENCHMARKS[name](bytes.fromhex(octets)), rounds, seconds)
            for name, octets in inputs.items()
        }


def roundtrips(association: Association, count: int) -> dict[str, object]:
    """Read the clock so many times, one request after the other."""
    clock = GXDLMSClock()
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for _ in range(count):
        association.read(clock, 2)
    cpu_seconds, seconds = time.process_time() - cpu_begin, time.perf_counter() - begin
    if clock.time is None or clock.time.value is None:
        raise BenchError("the meter's clock holds no date-time")
    return {"count": count, "seconds": seconds, "cpu_seconds": cpu_seconds}
