"""Image transfer of a simulated meter, as its clients see it: octets in, octets out."""

import hashlib

import pytest
from tests.simulator.rig import BLOCK, IMAGE_OBJECT, UNCONFIRMED, Rig, cut, image_block, initiation, octets

from meterwright.apdu import ActionRequestNormal, MethodDescriptor
from meterwright.data import (
    Data,
    DataTag,
    boolean,
    double_long_unsigned,
    integer,
    null_data,
    octet_string,
    unsigned,
)
from meterwright.errors import UsageError
from meterwright.simulator import Candidate, Judgement, MeterSettings, Timing, largest_block
from meterwright.values import ActionResult, BitString, DataAccessResult, Obis

IMAGE = octets(5 * BLOCK + 3)
BLOCKS = 6
TIMING = Timing()


def initiated() -> Rig:
    rig = Rig()
    rig.associate()
    assert rig.initiate(len(IMAGE)) is ActionResult.SUCCESS
    return rig


def verified() -> Rig:
    rig = initiated()
    rig.send_image(IMAGE)
    assert rig.verify() is ActionResult.TEMPORARY_FAILURE
    rig.wait(TIMING.verify_seconds)
    assert rig.status() == 3
    return rig


def test_a_new_meter_has_no_image() -> None:
    rig = Rig()
    rig.associate()
    assert rig.value(18, IMAGE_OBJECT, 2) == BLOCK
    assert rig.value(18, IMAGE_OBJECT, 3) == BitString(b"", 0)
    assert rig.first_missing() == 0
    assert rig.value(18, IMAGE_OBJECT, 5) is True
    assert rig.status() == 0
    assert rig.value(18, IMAGE_OBJECT, 7) == ()


@pytest.mark.parametrize("method", [2, 3, 4])
def test_nothing_can_be_done_before_initiate(method: int) -> None:
    rig = Rig()
    rig.associate()
    parameter = image_block(0, bytes(BLOCK)) if method == 2 else integer(0)
    assert rig.call(method, parameter) is ActionResult.OTHER_REASON
    assert rig.status() == 0


def test_the_whole_way_to_the_new_firmware() -> None:
    rig = initiated()
    assert rig.status() == 1
    assert rig.first_missing() == 0
    rig.send_image(IMAGE)
    assert rig.value(18, IMAGE_OBJECT, 3) == BitString.from_text("1" * BLOCKS)
    assert rig.first_missing() == BLOCKS
    assert rig.value(18, IMAGE_OBJECT, 7) == ()

    assert rig.verify() is ActionResult.TEMPORARY_FAILURE
    assert rig.status() == 2
    rig.wait(TIMING.verify_seconds - 0.01)
    assert rig.status() == 2
    rig.wait(0.01)
    assert rig.status() == 3
    digest = hashlib.sha256(IMAGE).digest()
    found = Data(
        DataTag.STRUCTURE, (double_long_unsigned(len(IMAGE)), octet_string(b"NEW-2.0"), octet_string(digest))
    )
    assert rig.value(18, IMAGE_OBJECT, 7) == (found,)

    assert rig.activate() is ActionResult.TEMPORARY_FAILURE
    assert rig.status() == 5
    assert rig.value(1, "1.0.0.2.0.255", 2) == b"MW-1.0"
    rig.wait(TIMING.activate_seconds)
    assert not rig.is_up()
    rig.wait(TIMING.reboot_seconds)
    assert rig.is_up()
    assert rig.status() == 6
    assert rig.value(1, "1.0.0.2.0.255", 2) == b"NEW-2.0"
    assert rig.value(1, "1.0.0.2.8.255", 2) == digest


def test_a_meter_that_reboots_serves_nobody() -> None:
    rig = verified()
    rig.activate()
    rig.wait(TIMING.activate_seconds)
    assert rig.get(8, "0.0.1.0.0.255", 2) is DataAccessResult.TEMPORARY_FAILURE
    assert rig.verify() is ActionResult.TEMPORARY_FAILURE


def test_one_tick_after_a_long_time_does_all_that_is_due() -> None:
    rig = initiated()
    rig.send_image(IMAGE)
    assert rig.activate() is ActionResult.TEMPORARY_FAILURE
    rig.wait(3600)
    assert rig.status() == 6
    assert rig.meter.deadline is None


def test_verification_with_a_hole_fails_at_once() -> None:
    rig = initiated()
    for number in (0, 1, 3, 4, 5):
        assert rig.block(number, cut(IMAGE, number)) is ActionResult.SUCCESS
    assert rig.first_missing() == 2
    assert rig.value(18, IMAGE_OBJECT, 3) == BitString.from_text("110111")
    assert rig.verify() is ActionResult.OTHER_REASON
    assert rig.status() == 4
    assert rig.block(2, cut(IMAGE, 2)) is ActionResult.OTHER_REASON
    assert rig.activate() is ActionResult.OTHER_REASON


def test_activation_verifies_first_and_refuses_a_hole() -> None:
    rig = initiated()
    rig.block(0, cut(IMAGE, 0))
    assert rig.activate() is ActionResult.OTHER_REASON
    assert rig.status() == 4


def test_activation_while_verifying_follows_the_verification() -> None:
    rig = initiated()
    rig.send_image(IMAGE)
    assert rig.verify() is ActionResult.TEMPORARY_FAILURE
    assert rig.activate() is ActionResult.TEMPORARY_FAILURE
    rig.wait(TIMING.verify_seconds)
    assert rig.status() == 5


def test_what_is_verified_is_not_verified_again() -> None:
    rig = verified()
    assert rig.verify() is ActionResult.SUCCESS
    assert rig.status() == 3


@pytest.mark.parametrize(
    ("number", "length", "result"),
    [
        (0, BLOCK, ActionResult.SUCCESS),
        (0, BLOCK - 1, ActionResult.TYPE_UNMATCHED),
        (0, BLOCK + 1, ActionResult.TYPE_UNMATCHED),
        (0, 0, ActionResult.TYPE_UNMATCHED),
        (BLOCKS - 1, 3, ActionResult.SUCCESS),
        (BLOCKS - 1, BLOCK, ActionResult.TYPE_UNMATCHED),
        (BLOCKS - 1, 2, ActionResult.TYPE_UNMATCHED),
        (BLOCKS, BLOCK, ActionResult.OTHER_REASON),
        (0xFFFFFFFF, BLOCK, ActionResult.OTHER_REASON),
    ],
)
def test_block_lengths_and_numbers_are_exact(number: int, length: int, result: ActionResult) -> None:
    rig = initiated()
    assert rig.block(number, bytes(length)) is result
    taken = result is ActionResult.SUCCESS
    assert rig.meter.machine.blocks.received == taken
    assert rig.meter.machine.record.blocks_rejected == (not taken)


def test_an_image_that_ends_with_a_block_has_no_shorter_one() -> None:
    rig = Rig()
    rig.associate()
    rig.initiate(2 * BLOCK)
    assert rig.block(1, bytes(BLOCK)) is ActionResult.SUCCESS
    assert rig.block(2, b"") is ActionResult.OTHER_REASON


def test_a_block_that_came_before_is_taken_again_and_the_last_one_counts() -> None:
    rig = initiated()
    rig.block(0, bytes(BLOCK))
    rig.send_image(IMAGE)
    rig.block(2, cut(IMAGE, 2))
    assert rig.meter.machine.record.blocks_repeated == 2
    assert rig.first_missing() == BLOCKS
    rig.activate()
    rig.wait(3600)
    assert rig.value(1, "1.0.0.2.8.255", 2) == hashlib.sha256(IMAGE).digest()


def test_initiate_forgets_all_blocks() -> None:
    rig = verified()
    assert rig.initiate(2 * BLOCK, b"OTHER") is ActionResult.SUCCESS
    assert rig.status() == 1
    assert rig.first_missing() == 0
    assert rig.value(18, IMAGE_OBJECT, 3) == BitString.from_text("00")
    assert rig.value(18, IMAGE_OBJECT, 7) == ()


@pytest.mark.parametrize("size", [0, MeterSettings().image_capacity + 1, 0xFFFFFFFF])
def test_an_image_must_fit(size: int) -> None:
    rig = initiated()
    assert rig.initiate(size) is ActionResult.OTHER_REASON
    assert rig.status() == 1
    assert rig.meter.machine.image.size == len(IMAGE)


@pytest.mark.parametrize("method", [3, 4])
def test_a_busy_meter_does_not_initiate(method: int) -> None:
    rig = initiated()
    rig.send_image(IMAGE)
    rig.call(method, integer(0))
    assert rig.initiate(BLOCK) is ActionResult.TEMPORARY_FAILURE
    assert rig.first_missing() == BLOCKS


@pytest.mark.parametrize(
    ("method", "parameter"),
    [(1, initiation(BLOCK)), (2, image_block(0, bytes(BLOCK))), (3, integer(0)), (4, integer(0))],
)
def test_a_disabled_object_refuses_all_methods(method: int, parameter: Data) -> None:
    rig = initiated()
    assert rig.put(18, IMAGE_OBJECT, 5, boolean(False)) is DataAccessResult.SUCCESS
    assert rig.call(method, parameter) is ActionResult.OTHER_REASON
    assert rig.status() == 1
    assert rig.put(18, IMAGE_OBJECT, 5, boolean(True)) is DataAccessResult.SUCCESS
    assert rig.initiate(BLOCK) is ActionResult.SUCCESS


def test_true_may_be_any_octet_but_zero() -> None:
    rig = Rig(MeterSettings(image_transfer_enabled=False))
    rig.associate()
    assert rig.value(18, IMAGE_OBJECT, 5) is False
    answers = rig.send_octets(bytes.fromhex("c101c1001200002c0000ff050003ff"))
    assert [answer.to_octets().hex() for answer in answers] == ["c501c100"]
    assert rig.value(18, IMAGE_OBJECT, 5) is True


@pytest.mark.parametrize(
    ("method", "parameter"),
    [
        (1, null_data(None)),
        (1, Data(DataTag.STRUCTURE, (octet_string(b"X"),))),
        (1, Data(DataTag.STRUCTURE, (octet_string(b"X"), unsigned(5)))),
        (2, Data(DataTag.STRUCTURE, (unsigned(0), octet_string(bytes(BLOCK))))),
        (2, Data(DataTag.ARRAY, (double_long_unsigned(0), octet_string(bytes(BLOCK))))),
        (2, octet_string(bytes(BLOCK))),
        (2, None),
    ],
)
def test_a_parameter_of_another_type_is_refused_and_counted(method: int, parameter: Data | None) -> None:
    rig = initiated()
    assert rig.call(method, parameter) is ActionResult.TYPE_UNMATCHED
    calls = rig.meter.machine.record.method_calls
    assert calls.image_transfer_initiate + calls.image_block_transfer == 2


@pytest.mark.parametrize("parameter", [None, integer(0), unsigned(0), null_data(None)])
def test_methods_without_a_parameter_look_at_none(parameter: Data | None) -> None:
    rig = initiated()
    rig.send_image(IMAGE)
    assert rig.call(3, parameter) is ActionResult.TEMPORARY_FAILURE


def test_every_call_is_counted_also_the_refused_ones() -> None:
    rig = initiated()
    rig.put(18, IMAGE_OBJECT, 5, boolean(False))
    rig.initiate(BLOCK)
    rig.block(0, bytes(BLOCK))
    rig.verify()
    rig.verify()
    rig.activate()
    calls = rig.meter.machine.record.method_calls
    assert calls.image_transfer_initiate == 2
    assert calls.image_block_transfer == 1
    assert calls.image_verify == 2
    assert calls.image_activate == 1


def test_blocks_need_no_confirmation() -> None:
    rig = initiated()
    method = MethodDescriptor(18, Obis.parse(IMAGE_OBJECT), 2)
    for number in range(BLOCKS):
        request = ActionRequestNormal(UNCONFIRMED, method, image_block(number, cut(IMAGE, number)))
        assert rig.send(request) == []
    assert rig.first_missing() == BLOCKS


class TestAMeterThatErasesFirst:
    """Initiate answers temporary-failure, and everything old stands until the erasing is done."""

    @staticmethod
    def erasing() -> Rig:
        timing = Timing(erase_seconds=2.0)
        rig = Rig(MeterSettings(image_block_size=BLOCK, timing=timing))
        rig.associate()
        assert rig.initiate(len(IMAGE)) is ActionResult.TEMPORARY_FAILURE
        rig.wait(2.0)
        assert rig.status() == 1
        rig.send_image(IMAGE[: 3 * BLOCK])
        assert rig.initiate(2 * BLOCK, b"OTHER") is ActionResult.TEMPORARY_FAILURE
        return rig

    def test_the_old_map_stands_until_it_is_done(self) -> None:
        rig = self.erasing()
        assert rig.status() == 1
        assert rig.first_missing() == 3
        rig.wait(1.9)
        assert rig.first_missing() == 3
        rig.wait(0.1)
        assert rig.first_missing() == 0
        assert rig.value(18, IMAGE_OBJECT, 3) == BitString.from_text("00")
        assert rig.meter.machine.image.identifier == b"OTHER"

    def test_nothing_else_is_done_meanwhile(self) -> None:
        rig = self.erasing()
        assert rig.block(3, cut(IMAGE, 3)) is ActionResult.TEMPORARY_FAILURE
        assert rig.initiate(BLOCK, b"THIRD") is ActionResult.TEMPORARY_FAILURE
        assert rig.verify() is ActionResult.OTHER_REASON
        assert rig.activate() is ActionResult.OTHER_REASON
        rig.wait(2.0)
        assert rig.meter.machine.image.identifier == b"OTHER"
        assert rig.status() == 1


class TestAMeterThatJudges:
    """Verification and activation may fail."""

    @staticmethod
    def judging(judgement: Judgement) -> Rig:
        rig = Rig(MeterSettings(image_block_size=BLOCK, judgement=judgement))
        rig.associate()
        rig.initiate(len(IMAGE))
        rig.send_image(IMAGE)
        return rig

    def test_a_bad_image_is_not_verified(self) -> None:
        seen: list[Candidate] = []

        def refuse(candidate: Candidate) -> bool:
            seen.append(candidate)
            return False

        rig = self.judging(Judgement(verification=refuse))
        rig.verify()
        rig.wait(TIMING.verify_seconds)
        assert rig.status() == 4
        assert rig.value(18, IMAGE_OBJECT, 7) == ()
        assert seen == [Candidate(b"NEW-2.0", len(IMAGE), hashlib.sha256(IMAGE).digest())]
        assert rig.verify() is ActionResult.TEMPORARY_FAILURE
        assert rig.status() == 2

    def test_a_bad_image_is_not_activated_by_the_way(self) -> None:
        rig = self.judging(Judgement(verification=lambda _: False))
        rig.activate()
        rig.wait(3600)
        assert rig.status() == 4
        assert rig.value(1, "1.0.0.2.0.255", 2) == b"MW-1.0"

    def test_a_judgement_with_a_bug_is_told_and_the_meter_stays_up(self) -> None:
        def fail(_: Candidate) -> bool:
            raise ZeroDivisionError

        rig = self.judging(Judgement(verification=fail))
        rig.verify()
        rig.wait(TIMING.verify_seconds)
        assert [type(error) for error in rig.troubles] == [ZeroDivisionError]
        assert rig.status() == 2
        assert rig.is_up()

    def test_an_activation_that_fails_reboots_into_the_old_firmware(self) -> None:
        rig = self.judging(Judgement(activation=lambda _: False))
        rig.activate()
        rig.wait(TIMING.verify_seconds + TIMING.activate_seconds)
        assert not rig.is_up()
        rig.wait(TIMING.reboot_seconds)
        assert rig.status() == 7
        assert rig.value(1, "1.0.0.2.0.255", 2) == b"MW-1.0"


@pytest.mark.parametrize(
    "pdu", [12, 21, 22, 23, 100, 148, 149, 150, 151, 152, 278, 279, 280, 281, 1024, 65535]
)
def test_the_largest_block_is_the_largest_whose_request_fits(pdu: int) -> None:
    def request(size: int) -> int:
        method = MethodDescriptor(18, Obis.parse(IMAGE_OBJECT), 2)
        return len(ActionRequestNormal(UNCONFIRMED, method, image_block(0, bytes(size))).to_octets())

    largest = largest_block(pdu)
    assert largest == 0 or request(largest) <= pdu
    assert request(largest + 1) > pdu


def test_a_block_size_that_does_not_fit_the_pdu_must_be_forced() -> None:
    assert MeterSettings(image_block_size=1000).image_block_size == 1000
    with pytest.raises(UsageError, match="1001 octets does not fit") as refused:
        MeterSettings(image_block_size=1001)
    assert "1 to 1000" in refused.value.hint
    assert MeterSettings(image_block_size=1001, force_block_size=True).image_block_size == 1001
    with pytest.raises(UsageError):
        MeterSettings(image_block_size=0)
