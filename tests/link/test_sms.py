"""The short wrapper of SMS, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard, in_blocks

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link import ShortMessage, SmsListener, Unsolicited


def test_the_destination_comes_first() -> None:
    message = ShortMessage(source=1, destination=0x66, apdu=bytes.fromhex("c001c100080000010000ff0200"))
    assert message.to_octets().hex() == "6601" + "c001c100080000010000ff0200"
    assert ShortMessage.from_octets(message.to_octets()) == message


@given(st.integers(0, 255), st.integers(0, 255), st.binary(min_size=1, max_size=140))
def test_any_message_comes_back(source: int, destination: int, apdu: bytes) -> None:
    message = ShortMessage(source, destination, apdu)
    assert ShortMessage.from_octets(message.to_octets()) == message


def test_a_message_without_apdu() -> None:
    for octets in (b"", b"\x66", b"\x66\x01"):
        with pytest.raises(RemoteProtocolError, match="no APDU"):
            ShortMessage.from_octets(octets)
    listener = SmsListener()
    assert heard(listener, b"", b"\x66\x01") == []
    assert listener.broken == 2


def test_a_sap_that_does_not_fit() -> None:
    with pytest.raises(LocalProtocolError, match="one octet"):
        ShortMessage(0x100, 1, PUSH).to_octets()


def test_pushes_whole_and_in_blocks() -> None:
    listener = SmsListener()
    assert listener.receive(b"\x66\x01" + PUSH, 0.0) == [Unsolicited(PUSH, 1, 0x66)]
    assert heard(listener, *(b"\x66\x01" + block for block in in_blocks(PUSH, 12))) == [PUSH]
