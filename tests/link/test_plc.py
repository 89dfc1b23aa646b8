"""S-FSK power line carriers: both LLC layers, both ways."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.hdlc.test_frame import frames
from tests.link.pushes import PUSH, heard

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link import LlcFrame, PlcListener, Unsolicited
from meterwright.link.hdlc import Frame
from meterwright.link.plc import decode_hdlc_llc, encode_hdlc_llc


def test_control_destination_source() -> None:
    frame = LlcFrame(source=1, destination=0x10, apdu=bytes.fromhex("c401c1000f01"))
    assert frame.to_octets().hex() == "901001" + "c401c1000f01"
    assert LlcFrame.from_octets(frame.to_octets()) == frame


@given(st.integers(0, 255), st.integers(0, 255), st.binary(min_size=1, max_size=140))
def test_any_frame_comes_back(source: int, destination: int, apdu: bytes) -> None:
    frame = LlcFrame(source, destination, apdu)
    assert LlcFrame.from_octets(frame.to_octets()) == frame


def test_what_is_none() -> None:
    for octets, said in ((b"", "not 90"), (b"\x91\x10\x01\x0f", "not 90"), (b"\x90\x10\x01", "no APDU")):
        with pytest.raises(RemoteProtocolError, match=said):
            LlcFrame.from_octets(octets)
    with pytest.raises(LocalProtocolError, match="one octet"):
        LlcFrame(1, 0x110, PUSH).to_octets()


def test_pushes() -> None:
    listener = PlcListener()
    assert listener.receive(b"\x90\x67\x01" + PUSH, 0.0) == [Unsolicited(PUSH, 1, 0x67)]
    assert heard(listener, b"", b"\x90") == []
    assert listener.broken == 2


@given(frames, st.integers(0, 36))
def test_hdlc_without_flags_and_with_padding(frame: Frame, padding: int) -> None:
    octets = encode_hdlc_llc(frame)
    assert b"~" + octets + b"~" == frame.to_octets()
    assert decode_hdlc_llc(octets + bytes(padding)) == frame


def test_a_golden_snrm() -> None:
    """Client 16 to logical device 1, as the books have it, and without its flags."""
    frame = decode_hdlc_llc(bytes.fromhex("a0070321930f01"))
    assert frame.control.kind.value == "SNRM"
    assert encode_hdlc_llc(frame).hex() == "a0070321930f01"


@given(st.binary(max_size=60))
def test_any_octets_are_harmless(octets: bytes) -> None:
    PlcListener().receive(octets, 0.0)
    with contextlib.suppress(RemoteProtocolError):
        decode_hdlc_llc(octets)


def test_what_follows_a_frame_and_is_no_padding() -> None:
    with pytest.raises(RemoteProtocolError, match="follow"):
        decode_hdlc_llc(bytes.fromhex("a0070321930f0101"))
