"""Any frames in any order, whole stacks: real APDUs and broken ones, in and out of turn. Nothing raises, and all ends.

The dice are thrown by number, so that each run is the same run and a failure names its own.
"""

import random
from collections.abc import Iterator

import pytest
from tests.association.interference import each_line
from tests.association.secured import (
    ATTRIBUTE,
    HDLC_CLIENT,
    HDLC_METER,
    THEIR_CHALLENGE,
    WRITTEN,
    Meter,
    apdus_passed,
    client_side,
    links,
    meter_side,
    open_stack,
    stack_pair,
)

from meterwright.apdu import GetRequestNormal, SetRequestNormal
from meterwright.errors import ConnectionLost
from meterwright.exchange import CONFIRMED, UNCONFIRMED
from meterwright.link import WrapperFrame
from meterwright.link.hdlc import CONTROLS, HdlcAddress
from meterwright.link.hdlc.frame import encode_frame
from meterwright.link.hdlc.segments import LLC_COMMAND, LLC_RESPONSE
from meterwright.server import ServerConnection
from meterwright.testing import StackPair
from meterwright.values import AuthenticationMechanism, SecurityPolicy

GET = GetRequestNormal(CONFIRMED, ATTRIBUTE, None)
SET = SetRequestNormal(UNCONFIRMED, ATTRIBUTE, None, WRITTEN)
SIDES = (
    (AuthenticationMechanism.HIGH_GMAC, SecurityPolicy.AUTHENTICATED_ENCRYPTED),
    (AuthenticationMechanism.HIGH, SecurityPolicy.ENCRYPTED),
    (AuthenticationMechanism.HIGH, SecurityPolicy.NONE),
    (AuthenticationMechanism.LOWEST, SecurityPolicy.NONE),
)
OF_CLIENTS = (0x93, 0x53, 0x13, 0x03, 0x11, 0x31, 0x10, 0x32, 0x54, 0x76, 0x30, 0x00, 0x22)
OF_METERS = (0x73, 0x1F, 0x97, 0x13, 0x11, 0x31, 0x30, 0x52, 0x74, 0x96)
STRAY = tuple(
    bytes.fromhex(each) for each in ("d80103", "c401c1000f01", "0f00000001000f05", "6300", "6100", "", "cc")
)

few_and_many = pytest.mark.parametrize(
    "seeds", [range(150), pytest.param(range(150, 20_000), marks=pytest.mark.soak)], ids=["few", "many"]
)


def associated(dice: random.Random, *, hdlc: bool = True) -> tuple[StackPair, Meter]:
    """A client and a meter of some kind; and another meter of that kind, which has not heard them."""
    mechanism, policy = dice.choice(SIDES)
    meters = [Meter(meter_side(mechanism, policy)) for _ in range(2)]
    pair = stack_pair(client_side(mechanism, policy), meters[0], hdlc=hdlc)
    pair.associate()
    return pair, meters[1]


def broken(apdu: bytes, dice: random.Random) -> bytes:
    """It, or with one bit wrong."""
    if not apdu or dice.random() < 0.7:
        return apdu
    changed = bytearray(apdu)
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def frames(
    addresses: list[bytes], controls: tuple[int, ...], llc: bytes, apdus: list[bytes], dice: random.Random
) -> Iterator[bytes]:
    """Any frames of one side."""
    while True:
        octet = dice.choice((*controls, dice.randrange(256)))
        apdu = broken(dice.choice(apdus), dice)
        information = dice.choice((b"", llc + apdu, llc + apdu, apdu[: dice.randrange(40)]))
        yield encode_frame(
            dice.choice(addresses), CONTROLS[octet].octet, information, segmented=dice.random() < 0.1
        )


@few_and_many
def test_a_meter_takes_any_frames(seeds: range) -> None:
    everybody, short = HdlcAddress(1, 0x7F, 2), HdlcAddress.of_server(1)
    addresses = [meter.octets + HDLC_CLIENT.octets for meter in (HDLC_METER, HDLC_METER, everybody, short)]
    addresses.append(HDLC_METER.octets + HdlcAddress.of_client(16).octets)
    for seed in seeds:
        dice = random.Random(seed)
        pair, host = associated(dice)
        pair.client.request(GET, pair.now, pair.now + 10)
        apdus = [each.octets for each in apdus_passed(pair) if each.from_client]
        apdus += [GET.to_octets(), SET.to_octets(), *STRAY]
        meter = ServerConnection(host, links(hdlc=True)[1], chance=lambda size: THEIR_CHALLENGE[:size])
        any_frames = frames(addresses, OF_CLIENTS, LLC_COMMAND, apdus, dice)
        now = 0.0
        for _ in range(30):
            chunk = b"".join(next(any_frames) for _ in range(dice.choice((1, 1, 2, 3))))
            meter.receive(chunk[: dice.randrange(len(chunk))] if dice.random() < 0.1 else chunk, now)
            now += dice.choice((0.0, 0.1, 1.0, 30.0, 200.0))
            meter.tick(now)
            meter.data_to_send()
        while (deadline := meter.deadline) is not None:
            meter.tick(deadline)
        assert meter.associated == 0


@few_and_many
@each_line
def test_a_client_takes_any_frames(seeds: range, hdlc: bool) -> None:
    for seed in seeds:
        dice = random.Random(seed)
        pair, _ = associated(dice, hdlc=hdlc)
        apdus = [each.octets for each in apdus_passed(pair) if not each.from_client] + list(STRAY)
        stack, now = pair.client, pair.now
        any_frames = frames([HDLC_CLIENT.octets + HDLC_METER.octets], OF_METERS, LLC_RESPONSE, apdus, dice)
        for _ in range(30):
            what = dice.random()
            if what < 0.6:
                wrapped = WrapperFrame(1, 1, broken(dice.choice(apdus), dice)).to_octets()
                stack.receive(next(any_frames) if hdlc else wrapped, now)
            elif what < 0.7 and open_stack(stack):
                stack.request(GET, now, now + dice.choice((1, 20)))
            elif what < 0.75:
                stack.close(now, dice.choice((1, 5)), release=dice.random() < 0.7)
            elif what < 0.78:
                stack.lost(ConnectionLost("cut"))
            else:
                now += dice.choice((0.1, 1.0, 30.0))
                stack.tick(now)
            stack.data_to_send()
        stack.close(now, 5)
        for _ in range(100):
            now = max(now, stack.deadline or now)
            stack.tick(now)
        assert stack.deadline is None
        assert not open_stack(stack)
