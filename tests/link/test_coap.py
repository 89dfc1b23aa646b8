"""CoAP: the messages of RFC 7252 as far as they carry an APDU, and blocks refused in so many words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard

from meterwright.errors import RemoteProtocolError
from meterwright.link import CoapListener, CoapMessage, Unsolicited, WrapperFrame
from meterwright.link.coap import CoapType

POST = bytes.fromhex("42027d34abcd") + b"\xb4dlms" + b"\x11\x2a" + b"\xff"
"""Confirmable, id 7d34, token abcd, path dlms, content format 42 (octets)."""


def test_a_post_and_what_it_says() -> None:
    message = CoapMessage.from_octets(POST + PUSH)
    assert message.type is CoapType.CONFIRMABLE
    assert (message.code, message.message_id, message.token) == (2, 0x7D34, b"\xab\xcd")
    assert message.options == ((11, b"dlms"), (12, b"*"))
    assert message.path == "dlms"
    assert message.payload == PUSH


def test_the_example_of_the_rfc() -> None:
    """RFC 7252, figure 16: a GET of /temperature and the answer 2.05 with 22.3 C."""
    asked = CoapMessage.from_octets(bytes.fromhex("40017d34bb") + b"temperature")
    assert (asked.type, asked.code, asked.path) == (CoapType.CONFIRMABLE, 1, "temperature")
    answer = CoapMessage.from_octets(bytes.fromhex("60457d34ff") + b"22.3 C")
    assert (answer.type, answer.code, answer.payload) == (CoapType.ACKNOWLEDGEMENT, 0x45, b"22.3 C")


def test_an_apdu_bare_or_behind_a_wrappers_header() -> None:
    wrapped = WrapperFrame(1, 16, PUSH).to_octets()
    assert CoapListener().receive(POST + PUSH, 0.0) == [Unsolicited(PUSH, 0, 0)]
    assert CoapListener().receive(POST + wrapped, 0.0) == [Unsolicited(PUSH, 1, 16)]
    assert CoapListener().receive(b"\x60\x44\x7d\x34\xff" + wrapped, 0.0) == [Unsolicited(PUSH, 1, 16)]


@pytest.mark.parametrize(("option", "name"), [("c108", "Block1"), ("c11e", "Block1"), ("c20106", "Block1")])
def test_blocks_are_refused_by_name(option: str, name: str) -> None:
    octets = b"\x40\x02\x00\x01" + b"\xd0\x02" + bytes.fromhex(option) + b"\xff" + PUSH
    with pytest.raises(RemoteProtocolError, match=name):
        CoapMessage.from_octets(octets).carried()


def test_a_block_option_for_a_transfer_of_one_block_is_none() -> None:
    octets = b"\x40\x02\x00\x01" + b"\xd1\x0e\x06" + b"\xff" + PUSH
    message = CoapMessage.from_octets(octets)
    assert message.options == ((27, b"\x06"),)
    assert message.carried().apdu == PUSH


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("", "no CoAP"),
        ("40", "no CoAP"),
        ("80020001", "no CoAP"),
        ("49020001" + "00" * 9, "token"),
        ("42020001ab", "token"),
        ("40020001ff", "none follows"),
        ("40020001f0", "reserved"),
        ("400200010f", "reserved"),
        ("40020001b4646c", "ends within an option"),
        ("40020001d0", "ends within an option"),
        ("40020001e001", "ends within an option"),
    ],
)
def test_what_is_no_message(octets: str, said: str) -> None:
    with pytest.raises(RemoteProtocolError, match=said):
        CoapMessage.from_octets(bytes.fromhex(octets))


def test_options_are_bounded() -> None:
    with pytest.raises(RemoteProtocolError, match="more than 64"):
        CoapMessage.from_octets(b"\x40\x02\x00\x01" + b"\x00" * 100)


@pytest.mark.parametrize("octets", ["40010001ff0f", "40840001ff0f", "40020001", "60000001"])
def test_what_carries_no_apdu_is_passed_over(octets: str) -> None:
    listener = CoapListener()
    assert heard(listener, bytes.fromhex(octets)) == []
    assert (listener.broken, listener.passed_over) == (0, 1)


@given(st.binary(max_size=120))
def test_any_octets_are_harmless(octets: bytes) -> None:
    CoapListener().receive(octets, 0.0)
    CoapListener().receive(b"\x40\x02\x00\x01" + octets, 0.0)
