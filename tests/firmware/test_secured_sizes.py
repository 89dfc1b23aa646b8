"""A block's request must fit what the meter takes, with all that protects it: told in the plan, before anything is changed.

The meter of these tests counts whole APDUs, as they come, so what fits by a single octet is really sent, and is taken.
"""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.firmware.rig import Rig, image, octets
from tests.firmware.setups import IS15959, IS15959_HDLC, OPEN, TITLE, Setup, plain

from meterwright.apdu import Aarq, ActionRequestNormal, InitiateRequest, MethodDescriptor
from meterwright.association import LARGEST_PDU
from meterwright.data import Data, DataTag, double_long_unsigned, octet_string
from meterwright.exchange import CONFIRMED
from meterwright.firmware import Outcome, Plan, UpdateResult, plan
from meterwright.security import (
    CounterOwner,
    Manner,
    MemoryCounterStore,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    Style,
    book_keys,
)
from meterwright.simulator import ImageRecord, MeterSettings
from meterwright.testing import run_in_virtual_time
from meterwright.values import AuthenticationMechanism, Conformance, Obis, Role, SecurityPolicy, SecuritySuite

IMAGE_TRANSFER: Final = Obis.parse("0.0.44.0.0.255")
POLICIES: Final = (
    SecurityPolicy.AUTHENTICATED,
    SecurityPolicy.ENCRYPTED,
    SecurityPolicy.AUTHENTICATED_ENCRYPTED,
)
GMAC: Final = AuthenticationMechanism.HIGH_GMAC
SETUPS: Final = (
    *(plain(GMAC, policy, style=style) for policy in POLICIES for style in Style),
    *(plain(GMAC, POLICIES[-1], style=style, dedicated=True) for style in Style),
    IS15959,
    IS15959_HDLC,
)


def layer(
    policy: SecurityPolicy,
    style: Style,
    suite: SecuritySuite = SecuritySuite.SUITE_0,
    *,
    dedicated: bool = False,
) -> SecurityLayer:
    """A client's layer, as in an open association."""
    keys = book_keys(suite)
    made = SecurityLayer(
        Role.CLIENT,
        own_title=TITLE,
        peer_title=None,
        keys=keys,
        policy=policy,
        send_counter=SendCounter(MemoryCounterStore(), CounterOwner.of(keys.global_unicast, TITLE)),
        receive_counter=ReceiveCounter(),
        manner=Manner(style),
    )
    if dedicated:
        made.seal_initiate(InitiateRequest(None, True, None, 6, Conformance.ACTION, 0).to_octets())
        made.use_dedicated(Secret(bytes(keys.global_unicast.size)))
    return made


def request(block: int) -> bytes:
    """The request that carries a block of so many octets."""
    parameter = Data(DataTag.STRUCTURE, (double_long_unsigned(7), octet_string(bytes(block))))
    return ActionRequestNormal(CONFIRMED, MethodDescriptor(18, IMAGE_TRANSFER, 2), parameter).to_octets()


@given(
    policy=st.sampled_from(list(SecurityPolicy)),
    style=st.sampled_from(Style),
    suite=st.sampled_from(list(SecuritySuite)),
    dedicated=st.booleans(),
    block=st.one_of(st.integers(1, 400), st.integers(1, 70_000)),
)
def test_a_request_is_as_long_on_its_way_as_was_reckoned(
    policy: SecurityPolicy, style: Style, suite: SecuritySuite, dedicated: bool, block: int
) -> None:
    plainly = request(block)
    sealing = layer(policy, style, suite, dedicated=dedicated and bool(policy))
    assert sealing.outgoing_size(len(plainly), plainly[0]) == len(sealing.outgoing(plainly))


def sealed_size(setup: Setup, block: int) -> int:
    """The true length of a block's request, as the client of this setup sends it."""
    given_to_it = setup.credentials(MemoryCounterStore())
    return len(layer(given_to_it.policy, given_to_it.manner.style).outgoing(request(block)))


def updated(tmp_path: Path, setup: Setup, block: int, pdu: int) -> tuple[Rig, Plan, UpdateResult]:
    """Plan an update of a meter of this block size and PDU size, and do it."""
    settings = MeterSettings(image_block_size=block, max_receive_pdu_size=pdu, force_block_size=True)

    async def play() -> tuple[Rig, Plan, UpdateResult]:
        rig = Rig(tmp_path, settings, setup=setup)
        await rig.start()
        made = await plan(rig.client(), image(2 * block + 5), b"NEW-2.0", state=tmp_path)
        result = await rig.update(image(2 * block + 5))
        await rig.stop()
        return rig, made, result

    return run_in_virtual_time(play())


@pytest.mark.parametrize("block", [88, 89, 100, 128, 215, 256])
@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_what_fits_exactly_is_sent_and_what_is_one_octet_too_long_is_refused(
    tmp_path: Path, setup: Setup, block: int
) -> None:
    size = sealed_size(setup, block)

    rig, made, result = updated(tmp_path / "fits", setup, block, size)
    assert made.block_request_size == made.max_send_pdu_size == size
    assert made.obstacles == ()
    assert result.outcome is Outcome.DONE, result.as_json()
    assert rig.active == octets(2 * block + 5)
    from_client = [
        each.apdu for each in rig.tap.sent if each.from_client and not each.apdu.startswith(Aarq.prefix)
    ]
    assert max(map(len, from_client)) == size, "and it was as long as that"
    assert ("encrypted-only" in rig.codes()) is (
        setup.credentials(rig.counters).policy is SecurityPolicy.ENCRYPTED
    )

    rig, made, result = updated(tmp_path / "does not fit", setup, block, size - 1)
    assert [each.code for each in made.obstacles] == ["block-larger-than-pdu"]
    assert f"{size}, protection included" in made.obstacles[0].message
    assert result.outcome is Outcome.REFUSED
    assert set(rig.calls.values()) == {0}
    assert rig.phases() == ["planning"]
    assert rig.meter.machine.image == ImageRecord()


@pytest.mark.parametrize("setup", [OPEN, IS15959], ids=lambda setup: setup.name)
def test_a_meter_without_a_limit_has_that_of_the_wrapper(tmp_path: Path, setup: Setup) -> None:
    rig, made, result = updated(tmp_path, setup, LARGEST_PDU, 0)
    assert [each.code for each in made.obstacles] == ["block-larger-than-pdu"]
    assert f"takes {LARGEST_PDU}" in made.obstacles[0].message
    assert result.outcome is Outcome.REFUSED
    assert set(rig.calls.values()) == {0}
