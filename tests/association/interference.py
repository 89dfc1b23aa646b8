"""Looking at logins that must not succeed, and whoever stands on the line and alters what passes.

What is ciphered is altered with the keys: by a meter or a client that is not what it should be.
"""

from collections.abc import Callable, Iterable
from typing import Final

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    CIPHERED_POLICIES,
    EVERY_POLICY,
    Meter,
    Side,
    apdus_passed,
    open_stack,
    stack_pair,
)

from meterwright.apdu import Aare, Aarq, Apdu, InitiateRequest, InitiateResponse, decode_apdu
from meterwright.association import CLIENT_CONFORMANCE, AssociationRefused, Distrusted, State
from meterwright.errors import AssociationRejected, LocalProtocolError, MeterwrightError
from meterwright.exchange import read
from meterwright.security import (
    Ciphers,
    Form,
    SecurityViolation,
    Violation,
    book_keys,
    is_ciphered,
    protect,
    unprotect,
)
from meterwright.testing import AssociationPair, Interference, StackPair
from meterwright.values import AcseServiceUserDiagnostic, AuthenticationMechanism

CHALLENGING: Final = tuple(AuthenticationMechanism(number) for number in range(2, 7))
INITIATE: Final = InitiateRequest(None, True, None, 6, CLIENT_CONFORMANCE, 0xFFFF).to_octets()
GRANT: Final = InitiateResponse(None, 6, CLIENT_CONFORMANCE, 500, 7).to_octets()

each_line = pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
each_policy = pytest.mark.parametrize("policy", EVERY_POLICY, ids=lambda each: each.label)
each_ciphered_policy = pytest.mark.parametrize("policy", CIPHERED_POLICIES, ids=lambda each: each.label)
each_challenging = pytest.mark.parametrize("mechanism", CHALLENGING, ids=lambda each: each.label)


# ------------------------------------------------------------------------------------------------ what is looked for


def refused(pair: AssociationPair | StackPair) -> MeterwrightError:
    """The one error of an association that nobody gets; afterwards nothing is open, and nothing more is ever sent."""
    with pytest.raises(MeterwrightError) as caught:
        pair.associate()
    assert_nobody_in(pair)
    events = [each for each in pair.events if not isinstance(each, Distrusted)]
    assert [type(each) for each in events] == [AssociationRefused]
    assert caught.value.hint
    return caught.value


def assert_nobody_in(pair: AssociationPair | StackPair) -> None:
    assert pair.association.state is State.IDLE
    assert pair.association.deadline is None
    if isinstance(pair, AssociationPair):
        assert pair.meter.state is not State.ASSOCIATED
    else:
        assert not open_stack(pair.client)
        assert pair.meter.associated == 0
    with pytest.raises(LocalProtocolError):
        pair.converse(read(ATTRIBUTE))
    so_far = len(apdus_passed(pair))
    pair.wait(1000)
    assert len(apdus_passed(pair)) == so_far
    assert sum(sent[0] == 0x60 for sent in from_client(pair)) == 1
    assert len(from_client(pair)) <= 2


def from_client(pair: AssociationPair | StackPair) -> list[bytes]:
    """The APDUs of the client."""
    return [each.octets for each in apdus_passed(pair) if each.from_client]


def turned_away(client: Side, meter: Side, *, hdlc: bool) -> tuple[MeterwrightError, MeterwrightError]:
    """The error of the client, and the one that the meter noted."""
    host = Meter(meter)
    pair = stack_pair(client, host, hdlc=hdlc)
    error = refused(pair)
    (noted,) = host.errors
    assert (host.reads, host.asked) == (0, 1)
    return error, noted


def violation_of(error: MeterwrightError) -> Violation:
    assert isinstance(error, SecurityViolation)
    return error.violation


def diagnostic_of(error: MeterwrightError) -> AcseServiceUserDiagnostic:
    assert isinstance(error, AssociationRejected)
    assert isinstance(error.diagnostic, AcseServiceUserDiagnostic)
    return error.diagnostic


# ------------------------------------------------------------------------------------------------ who alters what


def altering_aare(change: Callable[[Aare], Aare]) -> Interference:
    """The AARE arrives changed."""

    def interfere(by_client: bool, octets: bytes) -> Iterable[bytes]:
        apdu = None if by_client or octets[:1] != b"\x61" else decode_apdu(octets)
        return (change(apdu).to_octets() if isinstance(apdu, Aare) else octets,)

    return interfere


def altering_aarq(change: Callable[[Aarq], Aarq]) -> Interference:
    """The AARQ arrives changed."""

    def interfere(by_client: bool, octets: bytes) -> Iterable[bytes]:
        apdu = decode_apdu(octets) if by_client and octets[:1] == b"\x60" else None
        return (change(apdu).to_octets() if isinstance(apdu, Aarq) else octets,)

    return interfere


def inside(octets: bytes, title: bytes, change: Callable[[Apdu], Apdu]) -> bytes:
    """An APDU with its content changed by somebody who has the keys, ciphered as it came."""
    if not is_ciphered(octets):
        return change(decode_apdu(octets)).to_octets()
    opened = unprotect(octets, Ciphers(book_keys()), title)
    form = Form(opened.control.protection, opened.style)
    changed = change(decode_apdu(opened.apdu)).to_octets()
    return protect(changed, Ciphers(book_keys()), form, title, opened.counter)


def is_service(octets: bytes) -> bool:
    """Whether it is anything but ACSE."""
    return octets[0] not in (0x60, 0x61, 0x62, 0x63)
