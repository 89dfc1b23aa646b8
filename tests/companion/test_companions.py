"""Companions are data: what they say is consistent, and what IS 15959 says is what its sources say."""

from typing import Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.association import CURRENT_ASSOCIATION
from meterwright.companion import COMPANIONS, IS15959, PLAIN, AssociationProfile, Companion, companion_named
from meterwright.companion.is15959 import (
    FIRMWARE_CLIENT,
    IMAGE_ACTIVATION_SCHEDULE,
    IMAGE_ACTIVATION_SCRIPTS,
)
from meterwright.errors import UsageError
from meterwright.values import AuthenticationMechanism, Conformance, Obis, SecurityPolicy

A: Final = AuthenticationMechanism
P: Final = SecurityPolicy

IN_THE_FIELD: Final = [
    # client, association, login, protection, conformance as answered, counter, security setup
    (16, "0.0.40.0.1.255", A.LOWEST, P.NONE, "001010", None, None),
    (32, "0.0.40.0.2.255", A.LOW, P.AUTHENTICATED_ENCRYPTED, "001014", "0.0.43.1.2.255", "0.0.43.0.2.255"),
    (48, "0.0.40.0.3.255", A.HIGH, P.AUTHENTICATED_ENCRYPTED, "00181d", "0.0.43.1.3.255", "0.0.43.0.3.255"),
    (80, "0.0.40.0.5.255", A.HIGH, P.AUTHENTICATED_ENCRYPTED, "00181d", "0.0.43.1.5.255", "0.0.43.0.5.255"),
]


Row: TypeAlias = tuple[int, str, AuthenticationMechanism, SecurityPolicy, str, str | None, str | None]


def named(obis: str | None) -> Obis | None:
    return None if obis is None else Obis.parse(obis)


@pytest.mark.parametrize("row", IN_THE_FIELD, ids=lambda row: str(row[0]))
def test_is15959_is_what_meters_in_the_field_are(
    row: Row,
) -> None:
    client_sap, logical_name, authentication, policy, conformance, counter, setup = row
    profile = IS15959.association(client_sap)
    assert profile is not None
    assert profile.logical_name == Obis.parse(logical_name)
    assert (profile.authentication, profile.policy) == (authentication, policy)
    assert profile.conformance.to_octets().hex() == conformance
    assert (profile.counter, profile.security_setup) == (named(counter), named(setup))
    assert profile.server_sap == 1


def test_is15959_has_no_other_association() -> None:
    assert [each.client_sap for each in IS15959.associations] == [row[0] for row in IN_THE_FIELD]


def test_blocks_of_a_long_action_are_not_granted() -> None:
    assert Conformance.BLOCK_TRANSFER_WITH_ACTION not in FIRMWARE_CLIENT.conformance


def test_where_the_image_is_and_what_activates_it() -> None:
    assert str(IS15959.version_object) == "1.0.0.2.0.255"
    assert str(IS15959.image_transfer_object) == "0.0.44.0.0.255"
    assert str(IMAGE_ACTIVATION_SCHEDULE) == "0.0.15.0.2.255"
    assert str(IMAGE_ACTIVATION_SCRIPTS) == "0.0.10.0.107.255"


def test_plain_says_nothing() -> None:
    assert PLAIN.associations == ()
    assert PLAIN.association(16) is None
    assert PLAIN.public_sap == 16


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_companion_is_found_by_its_name(name: str) -> None:
    assert companion_named(name).name == name


@pytest.mark.parametrize("companion", COMPANIONS.values(), ids=lambda each: each.name)
class TestConsistent:
    def test_each_client_has_one_association(self, companion: Companion) -> None:
        saps = [(each.client_sap, each.server_sap) for each in companion.associations]
        assert len(set(saps)) == len(saps)
        for each in companion.associations:
            assert companion.association(each.client_sap) is each

    def test_nothing_is_shared_between_associations(self, companion: Companion) -> None:
        for values in zip(*(parts(each) for each in companion.associations), strict=True):
            there = [value for value in values if value is not None]
            assert len(set(there)) == len(there)

    def test_who_counts_has_a_counter(self, companion: Companion) -> None:
        for each in companion.associations:
            assert (each.counter is not None) == bool(each.policy)
            assert each.logical_name != CURRENT_ASSOCIATION

    def test_the_public_client_needs_nothing(self, companion: Companion) -> None:
        public = companion.association(companion.public_sap)
        if public is not None:
            assert (public.authentication, public.policy) == (A.LOWEST, P.NONE)
            assert Conformance.GET in public.conformance


def parts(profile: AssociationProfile) -> tuple[object, ...]:
    return profile.name, profile.logical_name, profile.counter, profile.security_setup


@given(st.text())
def test_another_name_is_told_with_those_that_are_known(name: str) -> None:
    if name in COMPANIONS:
        return
    with pytest.raises(UsageError, match="there is no companion") as told:
        companion_named(name)
    assert "plain, is15959" in told.value.hint
    assert len(told.value.what) < 80
