"""The outcome of an ACTION is never lost, whatever stands behind it: the forum's payload, and what meters leave out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apdu.golden import C1, octets_of

from meterwright.apdu import APDUS, ActionResponseNormal, Unreadable, decode_apdu
from meterwright.data import Data, DataTag, integer, octet_string
from meterwright.testing import data_trees
from meterwright.values import ActionResult, DataAccessResult

FORUM = octets_of("c701c1010102114373f23adf37a31d0decb749d496dbd1ca")
"""What an Indian meter answered to block 2 of an image that was cut by a wrong block size."""


def read(hexadecimal: str) -> ActionResponseNormal:
    apdu = decode_apdu(octets_of(hexadecimal))
    assert isinstance(apdu, ActionResponseNormal)
    return apdu


def unreadable(octets: bytes) -> Unreadable:
    apdu = decode_apdu(octets)
    assert isinstance(apdu, ActionResponseNormal)
    assert isinstance(apdu.return_parameters, Unreadable)
    return apdu.return_parameters


class TestTheForumsPayload:
    """A failure that the meter reports, followed by octets that nobody can read."""

    def test_the_result_is_known(self) -> None:
        apdu = decode_apdu(FORUM)
        assert isinstance(apdu, ActionResponseNormal)
        assert apdu.invoke_id_and_priority == C1
        assert apdu.result is ActionResult.HARDWARE_FAULT

    def test_what_follows_is_kept_and_its_first_illegal_octet_named(self) -> None:
        returned = unreadable(FORUM)
        assert returned.offset == 5
        assert FORUM[returned.offset] == 0x02
        assert returned.problem.startswith("02 where only 00 (Data) or 01 (DataAccessResult) is legal")
        assert returned.octets == FORUM[4:]
        assert len(returned.octets) - 2 == 18

    def test_it_is_written_as_it_came(self) -> None:
        assert decode_apdu(FORUM).to_octets() == FORUM

    def test_a_trace_says_the_same(self) -> None:
        span, error = APDUS.trace(FORUM)
        assert error is None
        assert [(each.name, each.start, each.end) for each in span.children] == [
            ("invoke-id-and-priority", 2, 3),
            ("result", 3, 4),
            ("return-parameters", 4, 24),
        ]


class TestWhatMetersLeaveOut:
    """Three departures with a meaning that can be told."""

    def test_no_presence_octet(self) -> None:
        assert read("C701C100") == ActionResponseNormal(C1, ActionResult.SUCCESS, None)
        assert read("C701C10C") == ActionResponseNormal(C1, ActionResult.TYPE_UNMATCHED, None)

    def test_no_choice_octet_before_the_data(self) -> None:
        """A Texas Instruments stack, at pass 4 of high-level security."""
        octets = "C701C100 01 0910" + "A5" * 16
        assert read(octets) == ActionResponseNormal(C1, ActionResult.SUCCESS, octet_string(b"\xa5" * 16))

    def test_a_choice_octet_without_its_data_is_not_taken_for_null_data(self) -> None:
        returned = unreadable(octets_of("C701C10001 00"))
        assert (returned.offset, returned.problem) == (6, "the octets end too early")

    def test_no_choice_octet_before_an_array(self) -> None:
        """01 would be the choice of a data-access-result, and 02 its value; but only an array ends where the APDU does."""
        assert read("C701C10001 01 02 0F05 0F06").return_parameters == Data(
            DataTag.ARRAY, (integer(5), integer(6))
        )

    def test_19_is_no_action_result_but_is_sent(self) -> None:
        apdu = read("C701C11300")
        assert not apdu.result.is_known
        assert int(apdu.result) == 19
        assert apdu.to_octets() == octets_of("C701C11300")


@pytest.mark.parametrize(
    ("hexadecimal", "offset", "says"),
    [
        ("C701C10002", 4, "02 where only 00 (absent) or 01 (present) is legal"),
        ("C701C10001", 5, "too early"),
        ("C701C1000100", 6, "too early"),
        ("C701C10001000B00", 6, "0b is no data tag"),
        ("C701C10001000903AABB", 10, "1 more"),
        ("C701C100000F01", 5, "too many"),
        ("C701C100010100FF", 7, "too many"),
    ],
)
def test_what_else_is_illegal_is_kept_with_its_offset(hexadecimal: str, offset: int, says: str) -> None:
    octets = octets_of(hexadecimal)
    returned = unreadable(octets)
    assert (returned.offset, returned.octets) == (offset, octets[4:])
    assert says in returned.problem
    assert decode_apdu(octets).to_octets() == octets


@given(st.sampled_from(ActionResult), st.binary(max_size=40))
def test_whatever_follows_the_result_is_known(result: ActionResult, rest: bytes) -> None:
    octets = ActionResponseNormal.prefix + bytes((0xC1, result)) + rest
    apdu = decode_apdu(octets)
    assert isinstance(apdu, ActionResponseNormal)
    assert apdu.result is result
    if isinstance(apdu.return_parameters, Unreadable):
        assert 4 <= apdu.return_parameters.offset <= len(octets)
        assert apdu.to_octets() == octets


@given(st.binary(max_size=40))
def test_a_trace_finds_what_decoding_finds(rest: bytes) -> None:
    octets = ActionResponseNormal.prefix + b"\xc1\x00" + rest
    span, error = APDUS.trace(octets)
    assert error is None
    assert span.value == decode_apdu(octets)


@given(data_trees())
def test_a_trace_finds_data_without_its_choice_octet(data: Data) -> None:
    octets = ActionResponseNormal.prefix + b"\xc1\x00\x01" + data.to_octets()
    span, error = APDUS.trace(octets)
    assert error is None
    assert span.value == decode_apdu(octets)
    assert span.end == len(octets)


@given(data_trees() | st.sampled_from(DataAccessResult))
def test_return_parameters_by_the_book_come_back(returned: Data | DataAccessResult) -> None:
    apdu = ActionResponseNormal(C1, ActionResult.SUCCESS, returned)
    assert decode_apdu(apdu.to_octets()) == apdu
