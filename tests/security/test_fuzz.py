"""Any octets at all: our own errors and nothing else, and no counter moved by what nobody made."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.security.books import CLIENT, DEDICATED, GET, INITIATE, METER, POLICIES, ciphers, layer

from meterwright.apdu import decode_apdu
from meterwright.errors import MeterwrightError
from meterwright.security import (
    Form,
    Secret,
    Style,
    protect,
    read_envelope,
    unprotect,
    unwrap_key,
)
from meterwright.values import Protection, Role, SecurityPolicy

MANY = settings(max_examples=400)
GENUINE = [
    protect(GET, ciphers(), Form(protection, style), METER, 7)
    for protection in (Protection.AUTHENTICATION, Protection.ENCRYPTION, Protection.BOTH)
    for style in Style
]
TAGS = [*range(0x21, 0x2F), *range(0x41, 0x4F), *range(0xC8, 0xD8), 0xDB, 0xDC]


def with_tag(tag: int, rest: bytes) -> bytes:
    return bytes((tag,)) + rest


def with_header(tag: int, control: int, rest: bytes) -> bytes:
    return bytes((tag, len(rest) + 5, control)) + b"\0\0\0\x08" + rest


def cut(genuine: bytes, length: int, rest: bytes) -> bytes:
    return genuine[:length] + rest


def altered(genuine: bytes, position: int, octet: int) -> bytes:
    return genuine[:position] + bytes((octet,)) + genuine[position + 1 :]


def is_taken(take: Callable[[bytes], bytes], octets: bytes) -> bool:
    try:
        take(octets)
    except MeterwrightError:
        return False
    return True


octets_like_ciphered = st.one_of(
    st.binary(max_size=64),
    st.builds(with_tag, st.sampled_from(TAGS), st.binary(max_size=48)),
    st.builds(with_header, st.sampled_from(TAGS), st.integers(0, 255), st.binary(max_size=60)),
    st.builds(cut, st.sampled_from(GENUINE), st.integers(0, 60), st.binary(max_size=16)),
    st.builds(altered, st.sampled_from(GENUINE), st.integers(0, 40), st.integers(0, 255)),
)


@MANY
@given(octets_like_ciphered)
def test_any_octets_open_or_are_refused(octets: bytes) -> None:
    for work in (
        lambda: read_envelope(octets),
        lambda: unprotect(octets, ciphers(), METER),
        lambda: unprotect(octets, ciphers(), None),
        lambda: decode_apdu(octets),
        lambda: unwrap_key(Secret(bytes(16)), octets),
    ):
        with contextlib.suppress(MeterwrightError):
            work()


@MANY
@given(
    st.lists(octets_like_ciphered, max_size=6),
    st.sampled_from([SecurityPolicy.NONE, *POLICIES]),
    st.sampled_from(list(Role)),
    st.booleans(),
)
def test_a_layer_survives_any_peer(
    received: list[bytes], policy: SecurityPolicy, role: Role, dedicated: bool
) -> None:
    side = layer(role, policy=policy, peer=METER if role is Role.CLIENT else CLIENT, last=7)
    if dedicated:
        side.seal_initiate(INITIATE)
        side.use_dedicated(DEDICATED)
    for octets in received:
        for take in (side.incoming, side.open_initiate):
            before = side.receive_counter.last
            assert is_taken(take, octets) or side.receive_counter.last == before
        assert side.outgoing(GET)


@MANY
@given(octets_like_ciphered)
def test_nothing_that_nobody_made_gets_through_an_authenticated_policy(octets: bytes) -> None:
    side = layer(Role.CLIENT, policy=SecurityPolicy.AUTHENTICATED, last=7)
    try:
        came = side.incoming(octets)
    except MeterwrightError:
        return
    assert came == octets
    assert octets == b"" or octets[0] in {0x60, 0x61, 0x62, 0x63, 0xD8, 0x0E}


def test_length_bombs_are_refused_at_once() -> None:
    for head in ("c8 84 ffffffff", "db 08 0000000000000000 84 ffffffff", "c8 83 ffffff 30 00000001"):
        octets = bytes.fromhex(head)
        with pytest.raises(MeterwrightError, match="length"):
            read_envelope(octets)
        with pytest.raises(MeterwrightError, match="length"):
            unprotect(octets, ciphers(), METER)
