"""Associations that were agreed on beforehand: there without an AARQ, used confirmed and unconfirmed, ended by nothing that is said."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.association.client_scripts import associated
from tests.association.secured import (
    ATTRIBUTE,
    METHOD,
    PARAMETER,
    VALUE,
    WRITTEN,
    Meter,
    apdus_passed,
    client_side,
    links,
    meter_side,
)
from tests.conformance.proofs import Link, Security, Service, proves
from tests.security.books import CLIENT, METER
from tests.server.hosts import AARQ, Host

from meterwright.apdu import Aare, ActionRequestNormal, Rlre, SetRequestNormal, decode_apdu
from meterwright.association import (
    CLIENT_CONFORMANCE,
    ClientAssociation,
    PreEstablished,
    Role,
    ServerAssociation,
    State,
)
from meterwright.client import Client, ClientSettings
from meterwright.data import octet_string
from meterwright.errors import LocalProtocolError, UsageError
from meterwright.exchange import UNCONFIRMED, read, tell, write
from meterwright.server import Listener, Middleware, Partners
from meterwright.testing import StackPair, run_in_virtual_time
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import (
    AssociationResult,
    AuthenticationMechanism,
    ReleaseResponseReason,
    SecurityPolicy,
)

AGREED = PreEstablished(CLIENT_CONFORMANCE, 400, 300)
POLICIES = {
    Security.NONE: SecurityPolicy.NONE,
    Security.AUTHENTICATED: SecurityPolicy.AUTHENTICATED,
    Security.ENCRYPTED: SecurityPolicy.ENCRYPTED,
    Security.BOTH: SecurityPolicy.AUTHENTICATED_ENCRYPTED,
}
LOWEST = AuthenticationMechanism.LOWEST


class Agreed(Meter):
    """A meter that needs no AARQ."""

    def pre_established(self, partners: Partners) -> PreEstablished | None:
        super().pre_established(partners)
        return AGREED


def agreed_pair(policy: SecurityPolicy, *, hdlc: bool) -> tuple[StackPair, Agreed]:
    client = replace(client_side(LOWEST, policy), peer=METER)
    host = Agreed(replace(meter_side(LOWEST, policy), peer=CLIENT))
    client_link, meter_link = links(hdlc=hdlc)
    pair = StackPair(
        host,
        client_link=client_link,
        meter_link=meter_link,
        credentials=client.credentials(),
        agreed=AGREED,
    )
    return pair, host


@pytest.mark.parametrize(
    ("link", "security"),
    [
        pytest.param(
            link, security, id=f"{link}-{security}", marks=proves(Service.PRE_ESTABLISHED, link, security)
        )
        for link in Link
        for security in POLICIES
    ],
)
def test_services_are_served_and_no_aarq_is_sent(link: Link, security: Security) -> None:
    pair, host = agreed_pair(POLICIES[security], hdlc=link is Link.HDLC)
    context = pair.associate()
    assert (context.max_send_pdu_size, context.max_receive_pdu_size) == (300, 400)
    pair.converse(tell(SetRequestNormal(UNCONFIRMED, ATTRIBUTE, None, WRITTEN)))
    pair.converse(tell(ActionRequestNormal(UNCONFIRMED, METHOD, PARAMETER)))
    assert (host.written, host.invoked) == ([WRITTEN], [PARAMETER])
    assert pair.converse(read(ATTRIBUTE)) == VALUE
    long = octet_string(bytes(1000))
    pair.converse(write(ATTRIBUTE, long, room=pair.association.room))
    assert host.written[-1] == long
    host.value = long
    assert pair.converse(read(ATTRIBUTE)) == long
    pair.release()
    tags = {each.octets[0] for each in apdus_passed(pair)}
    assert not tags & {0x60, 0x61, 0x62, 0x63}


def test_each_side_sees_the_sizes_from_its_own() -> None:
    ours, theirs = AGREED.context(Role.CLIENT, "ours"), AGREED.context(Role.SERVER, "theirs")
    assert (ours.max_send_pdu_size, ours.max_receive_pdu_size) == (300, 400)
    assert (theirs.max_send_pdu_size, theirs.max_receive_pdu_size) == (400, 300)


@pytest.mark.parametrize("size", [1, 11, -1])
def test_sizes_that_are_illegal_cannot_be_agreed_on(size: int) -> None:
    with pytest.raises(UsageError, match=f"{size} octets is illegal"):
        PreEstablished(CLIENT_CONFORMANCE, size, 300)
    with pytest.raises(UsageError, match=f"{size} octets is illegal"):
        PreEstablished(CLIENT_CONFORMANCE, 300, size)


def test_an_rlrq_does_not_end_it_and_an_aarq_makes_no_other() -> None:
    meter = ServerAssociation()
    context = meter.establish(AGREED)
    assert meter.receive(bytes.fromhex("6200")) == []
    assert meter.receive(AARQ) == []
    rlre, aare = map(decode_apdu, meter.data_to_send())
    assert isinstance(rlre, Rlre)
    assert rlre.reason is ReleaseResponseReason.NOT_FINISHED
    assert isinstance(aare, Aare)
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert meter.state is State.ASSOCIATED
    assert meter.context is context


def test_a_client_does_not_release_it() -> None:
    client = ClientAssociation()
    client.establish(AGREED)
    with pytest.raises(LocalProtocolError, match="not released"):
        client.release(10)
    assert client.state is State.ASSOCIATED


def test_it_is_established_once_and_over_nothing_else() -> None:
    with pytest.raises(LocalProtocolError, match="associated already"):
        associated().establish(AGREED)
    meter = ServerAssociation()
    meter.establish(AGREED)
    with pytest.raises(LocalProtocolError, match="no such association"):
        meter.establish(AGREED)
    with pytest.raises(LocalProtocolError, match="no such association"):
        ServerAssociation(lambda: None).establish(AGREED)


def test_after_it_was_lost_an_ordinary_association_may_follow() -> None:
    client = ClientAssociation()
    client.establish(AGREED)
    client.lost(LocalProtocolError("gone", layer="test"))
    client.associate(10)
    assert client.state is State.PENDING


def altered(_from_client: bool, octets: bytes) -> Iterable[bytes]:
    """The last octet is another."""
    return (octets[:-1] + bytes((octets[-1] ^ 1,)),)


def test_what_is_forged_or_plain_is_not_served() -> None:
    pair, host = agreed_pair(SecurityPolicy.AUTHENTICATED_ENCRYPTED, hdlc=False)
    pair.associate()
    pair.interference = altered
    pair.converse(tell(SetRequestNormal(UNCONFIRMED, ATTRIBUTE, None, WRITTEN)))
    assert host.written == []


def test_a_client_over_a_transport_begins_with_its_first_request() -> None:
    class AgreedHost(Middleware):
        def pre_established(self, partners: Partners) -> PreEstablished | None:
            return AGREED if partners == Partners(16, 1) else None

    async def main() -> None:
        listener = Listener(AgreedHost(Host()))

        async def connect() -> AsyncTransport:
            wire = Wire()
            listener.attach(wire.meter_end)
            return wire.client_end

        async with Client(connect, ClientSettings(pre_established=AGREED)) as client:
            attribute = replace(ATTRIBUTE, class_id=5)
            assert await client.read(attribute) == octet_string(bytes(5))
        await asyncio.sleep(1)
        assert listener.connections == 0

    run_in_virtual_time(main())
