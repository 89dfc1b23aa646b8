"""OpenIntEnum: every octet has a member, and always the same one."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    ImageTransferStatus,
    OpenIntEnum,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ServiceErrorClass,
    Unit,
)

ENUMS: list[type[OpenIntEnum]] = [
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    ImageTransferStatus,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ServiceErrorClass,
    Unit,
]


def test_all_open_enums_of_the_room_are_in_this_test() -> None:
    assert {enum.__name__ for enum in OpenIntEnum.__subclasses__()} >= {enum.__name__ for enum in ENUMS}


@given(enum=st.sampled_from(ENUMS), octet=st.integers(0, 255))
def test_every_octet_is_a_member(enum: type[OpenIntEnum], octet: int) -> None:
    member = enum(octet)
    assert isinstance(member, enum)
    assert member == octet
    assert member.value == octet
    assert member is enum(octet)
    assert member.is_known == (octet in [known.value for known in enum])
    assert member.label == member.name.lower().replace("_", "-")
    assert member.is_known or member.label == f"unknown-{octet}"


@given(enum=st.sampled_from(ENUMS), number=st.integers().filter(lambda number: not 0 <= number <= 255))
def test_what_is_no_octet_is_refused(enum: type[OpenIntEnum], number: int) -> None:
    with pytest.raises(ValueError, match=enum.__name__):
        enum(number)


def test_known_and_unknown_look_like_what_they_are() -> None:
    assert DataAccessResult(1) is DataAccessResult.HARDWARE_FAULT
    assert DataAccessResult.HARDWARE_FAULT.label == "hardware-fault"
    assert DataAccessResult(99).name == "UNKNOWN_99"
    assert repr(DataAccessResult(99)) == "<DataAccessResult.UNKNOWN_99: 99>"


def test_unknown_members_are_not_declared_by_being_met() -> None:
    declared = list(DataAccessResult)
    assert not DataAccessResult(101).is_known
    assert list(DataAccessResult) == declared
    assert "UNKNOWN_101" not in DataAccessResult.__members__


def test_the_same_octet_of_two_enums_is_two_members() -> None:
    assert type(DataAccessResult(99)) is DataAccessResult
    assert type(ActionResult(99)) is ActionResult


def test_copies_are_the_same_member() -> None:
    for octet in (1, 98):
        member = DataAccessResult(octet)
        assert copy.copy(member) is member
        assert copy.deepcopy([member])[0] is member
    unit = Unit(99)
    assert copy.deepcopy(unit) is unit


def test_threads_agree_on_an_unknown_member() -> None:
    class Code(OpenIntEnum):
        ONE = 1

    with ThreadPoolExecutor(4) as pool:
        rounds = [list(pool.map(Code, [octet] * 16)) for octet in range(2, 256)]
    assert all(member is members[0] for members in rounds for member in members)


def test_a_bool_does_not_make_an_odd_member() -> None:
    member = ConfirmedServiceErrorService(False)
    assert member.name == "UNKNOWN_0"
    assert type(member.value) is int
