"""A meter behind a gateway: every APDU with its prefix, outside of blocks and ciphering, over the wrapper and over HDLC, both roles."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.association.secured import ATTRIBUTE, METHOD, VALUE, Meter, client_side, links, meter_side

from meterwright.apdu import DataNotification
from meterwright.association import Unsolicited as ToldUnasked
from meterwright.client import Client, ClientSettings, Hdlc, Timeouts
from meterwright.cosem import Clock
from meterwright.data import octet_string
from meterwright.errors import LocalProtocolError, MeterwrightError
from meterwright.exchange import invoke, read, write
from meterwright.link import (
    ApduReceived,
    GatewayAddress,
    GatewayLink,
    GatewayServer,
    HdlcServer,
    HdlcServerSettings,
    LinkEvent,
    ServerLink,
    WrapperFrame,
    WrapperFramer,
    WrapperLink,
    WrapperServer,
)
from meterwright.security import Style
from meterwright.server import Listener, Partners
from meterwright.simulator import plain_meter
from meterwright.testing import StackPair
from meterwright.values import AuthenticationMechanism, LongInvokeIdAndPriority, SecurityPolicy

ADDRESS = GatewayAddress(1, bytes.fromhex("0a0b"))
OTHER = GatewayAddress(1, bytes.fromhex("0a0c"))
GET = bytes.fromhex("c001c100080000010000ff0200")
GOT = bytes.fromhex("c401c1000f01")
PUSH = DataNotification(LongInvokeIdAndPriority(1), None, octet_string(b"a push"))


def behind(
    *, hdlc: bool, secured: bool = False, max_pdu: int = 500, at: GatewayAddress = ADDRESS
) -> tuple[StackPair, Meter]:
    """A client at one address, a meter at `ADDRESS`, over this link."""
    mechanism = AuthenticationMechanism.HIGH_GMAC if secured else AuthenticationMechanism.LOWEST
    policy = SecurityPolicy.AUTHENTICATED_ENCRYPTED if secured else SecurityPolicy.NONE
    client_link, meter_link = links(hdlc=hdlc)
    meter = Meter(meter_side(mechanism, policy), max_pdu)
    pair = StackPair(
        meter,
        client_sap=1,
        client_link=GatewayLink(client_link, at),
        meter_link=GatewayServer(meter_link, ADDRESS),
        credentials=client_side(mechanism, policy, Style.GENERAL).credentials(),
    )
    return pair, meter


def test_the_prefix_of_the_book() -> None:
    assert ADDRESS.to_meter(GET).hex() == "e601020a0b" + GET.hex()
    assert ADDRESS.from_meter(GOT).hex() == "e701020a0b" + GOT.hex()
    assert GatewayAddress(0, b"").to_meter(GET).hex() == "e60000" + GET.hex()
    assert str(ADDRESS) == "1/0a0b"


@given(st.integers(0, 255), st.binary(max_size=127), st.binary(min_size=1, max_size=60))
def test_any_address_and_apdu_come_back(network: int, physical: bytes, apdu: bytes) -> None:
    address = GatewayAddress(network, physical)
    assert address.carried(address.to_meter(apdu)) == address.carried(address.from_meter(apdu)) == apdu
    assert GatewayAddress(network ^ 1, physical).carried(address.to_meter(apdu)) is None


@given(st.binary(max_size=40))
def test_any_octets_are_harmless(octets: bytes) -> None:
    for head in (b"", b"\xe6", b"\xe7", b"\xe7\x01\x02\x0a\x0b"):
        ADDRESS.carried(head + octets)


def test_addresses_that_do_not_fit() -> None:
    for network, physical in ((256, b""), (-1, b""), (0, bytes(128))):
        with pytest.raises(LocalProtocolError, match="one octet"):
            GatewayAddress(network, physical)


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("hdlc", [False, True])
def test_a_whole_conversation(hdlc: bool, secured: bool) -> None:
    pair, _ = behind(hdlc=hdlc, secured=secured)
    pair.associate()
    assert pair.converse(read(ATTRIBUTE)) == VALUE
    pair.converse(write(ATTRIBUTE, octet_string(b"new")))
    assert pair.converse(invoke(METHOD, octet_string(b"echo"))) is not None
    pair.release()


def test_the_prefix_stands_outside_of_everything() -> None:
    pair, _ = behind(hdlc=False, secured=True)
    pair.associate()
    pair.converse(read(ATTRIBUTE))
    pair.release()
    for passed in pair.passed:
        for frame in WrapperFramer().receive(passed.octets):
            tag = "e6" if passed.from_client else "e7"
            assert frame.apdu[:5].hex() == f"{tag}01020a0b"
            assert frame.apdu[5] in {0x60, 0x61, 0x62, 0x63, 0xDB}


@pytest.mark.parametrize("hdlc", [False, True])
def test_nobody_at_another_address_answers(hdlc: bool) -> None:
    pair, _ = behind(hdlc=hdlc, at=OTHER)
    with pytest.raises(MeterwrightError):
        pair.associate()


@pytest.mark.parametrize("hdlc", [False, True])
def test_a_push_comes_through(hdlc: bool) -> None:
    pair, _ = behind(hdlc=hdlc)
    pair.associate()
    pair.meter.notify(PUSH, Partners(1, 1), pair.now)
    told = pair.carry()
    assert [event.apdu for event in told if isinstance(event, ToldUnasked)] == [PUSH]
    assert pair.converse(read(ATTRIBUTE)) == VALUE


def received(link: GatewayLink, *apdus: bytes) -> list[bytes]:
    events: list[LinkEvent] = []
    for apdu in apdus:
        events += link.receive(WrapperFrame(1, 16, apdu).to_octets(), 0.0)
    return [event.apdu for event in events if isinstance(event, ApduReceived)]


def test_a_client_passes_over_what_is_not_from_its_meter() -> None:
    link = GatewayLink(WrapperLink(16, 1), ADDRESS)
    link.open(0.0)
    assert received(link, GOT, OTHER.from_meter(GOT), b"\xe7", b"\xe7\x01", ADDRESS.from_meter(GOT)) == [GOT]
    assert link.passed_over == 4


def test_a_refusal_in_the_gateways_own_name_is_an_answer() -> None:
    link = GatewayLink(WrapperLink(16, 1), ADDRESS)
    link.open(0.0)
    refusals = [bytes.fromhex("d80102"), bytes.fromhex("0e010601")]
    assert received(link, *refusals) == refusals


def test_a_meter_answers_nothing_without_its_prefix() -> None:
    server = GatewayServer(WrapperServer(), ADDRESS)
    asked = [
        WrapperFrame(16, 1, apdu).to_octets() for apdu in (GET, OTHER.to_meter(GET), ADDRESS.to_meter(GET))
    ]
    events = [event for octets in asked for event in server.receive(octets, 0.0)]
    assert events == [ApduReceived(GET, 16, 1)]
    assert server.passed_over == 2
    server.send_to(16, 1, GOT, 0.0)
    assert server.data_to_send() == WrapperFrame(1, 16, ADDRESS.from_meter(GOT)).to_octets()


def test_a_stream_that_is_lost_is_lost_through_the_prefix_too() -> None:
    server = GatewayServer(WrapperServer(), ADDRESS)
    server.receive(b"~" * 8, 0.0)
    assert server.is_lost
    server.lost()
    assert not server.is_lost


@pytest.mark.parametrize("hdlc", [False, True])
def test_the_url_of_a_client_says_where_behind_the_gateway_the_meter_is(hdlc: bool) -> None:
    meter = plain_meter(1)

    def link() -> ServerLink:
        inner = HdlcServer(HdlcServerSettings(logical_devices=frozenset({1}))) if hdlc else WrapperServer()
        return GatewayServer(inner, ADDRESS)

    async def main() -> None:
        listener = Listener(meter, link=link)
        port = await listener.listen("127.0.0.1", 0)
        url = f"{'hdlc+tcp' if hdlc else 'tcp'}://127.0.0.1:{port}?client=16&gateway="
        try:
            async with Client(f"{url}{ADDRESS}") as client:
                assert await Clock(client).time.get() is not None
            impatient = ClientSettings(
                timeouts=Timeouts(associate=0.2), carrier=Hdlc(response_timeout=0.1, retries=0)
            )
            with pytest.raises(MeterwrightError):
                await Client(f"{url}{OTHER}", impatient).connect()
        finally:
            await listener.stop()

    asyncio.run(main())
