"""A PRIME concentrator's wrapper: meters' APDUs, its own messages, and streams cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard

from meterwright.errors import RemoteProtocolError
from meterwright.link import PrimeFramer, PrimeListener, Unsolicited
from meterwright.link.prime import ConcentratorMessage, MessageKind, PrimeFrame

NEW = bytes.fromhex("0101020001034d5753a0b1c2d3e4f5")


def frame(content: bytes, version: int = 1, source: int = 0x0102) -> bytes:
    return (
        version.to_bytes(2, "big")
        + source.to_bytes(2, "big")
        + b"\x00\x01"
        + len(content).to_bytes(2, "big")
        + content
    )


def test_a_meters_apdu_names_the_meter() -> None:
    assert PrimeListener().receive(frame(PUSH), 0.0) == [Unsolicited(PUSH, 0x0102, 1)]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_new_meter(version: int) -> None:
    listener = PrimeListener()
    assert heard(listener, frame(NEW, version)) == []
    expected = ConcentratorMessage(MessageKind.NEW_METER, 0x0102, 1, b"MWS", bytes.fromhex("a0b1c2d3e4f5"))
    assert listener.messages == [expected]


@pytest.mark.parametrize(
    ("octets", "kind", "number"),
    [
        ("020102", MessageKind.METER_REMOVED, 0x0102),
        ("03", MessageKind.START_REPORTING, None),
        ("04ffff", MessageKind.DELETE_METERS, 0xFFFF),
        ("050001", MessageKind.ENABLE_AUTO_CLOSE, 1),
        ("060001", MessageKind.DISABLE_AUTO_CLOSE, 1),
    ],
)
def test_messages(octets: str, kind: MessageKind, number: int | None) -> None:
    assert ConcentratorMessage.from_octets(bytes.fromhex(octets)) == ConcentratorMessage(kind, number)


@pytest.mark.parametrize(
    "apdu",
    [
        "050102fa00",  # read-request
        "060102fa00010f01",  # write-request
        "01000000065f1f0400007e1f04b0",  # initiate-request
        "0d0100",
        "",
        "0102",
        "07",
    ],
)
def test_an_apdu_whose_tag_is_a_messages_code_stays_one(apdu: str) -> None:
    assert ConcentratorMessage.from_octets(bytes.fromhex(apdu)) is None


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 9))
def test_any_cut(contents: list[bytes], size: int) -> None:
    stream = b"".join(frame(content) for content in contents)
    framer = PrimeFramer()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    found = [each for piece in pieces for each in framer.receive(piece)]
    assert found == [PrimeFrame(1, 0x0102, 1, content) for content in contents]


def test_a_stream_that_is_lost_stays_lost() -> None:
    listener = PrimeListener()
    assert heard(listener, frame(PUSH) + b"\x7e" * 8) == [PUSH]
    assert listener.is_lost
    assert heard(listener, frame(PUSH)) == []
    with pytest.raises(RemoteProtocolError, match="no header"):
        PrimeFramer().receive(b"\x7e" * 8)


def test_messages_are_kept_in_bounds() -> None:
    listener = PrimeListener()
    heard(listener, *[frame(b"\x03")] * 1000)
    assert len(listener.messages) == 256


@given(st.binary(max_size=200))
def test_any_octets_are_harmless(octets: bytes) -> None:
    PrimeListener().receive(octets, 0.0)
    ConcentratorMessage.from_octets(octets)
