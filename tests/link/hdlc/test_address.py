"""Addresses of one, two and four octets, in both fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import Blame, LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc import ALL_STATIONS, CALLING_STATION, NO_STATION, HdlcAddress
from meterwright.link.hdlc.address import address_size

SEVEN_BITS = st.integers(0, 0x7F)
FOURTEEN_BITS = st.integers(0, 0x3FFF)
ADDRESSES = st.one_of(
    st.builds(HdlcAddress, SEVEN_BITS),
    st.builds(HdlcAddress, SEVEN_BITS, SEVEN_BITS, st.just(2)),
    st.builds(HdlcAddress, FOURTEEN_BITS, FOURTEEN_BITS, st.just(4)),
)


@pytest.mark.parametrize(
    ("sap", "octet"),
    [
        (1, 0x03),
        (16, 0x21),
        (32, 0x41),
        (48, 0x61),
        (64, 0x81),
        (80, 0xA1),
        (96, 0xC1),
        (102, 0xCD),
        (103, 0xCF),
    ],
)
def test_client_addresses_of_the_books(sap: int, octet: int) -> None:
    assert HdlcAddress.of_client(sap).octets == bytes((octet,))


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (HdlcAddress.of_server(1), "03"),
        (HdlcAddress.of_server(1, 17), "0223"),
        (HdlcAddress.of_server(1, 1234), "000212a5"),
        (HdlcAddress.of_server(1, 17, 4), "00020023"),
        (HdlcAddress(1, 9561, 4), "000294b3"),
        (HdlcAddress(103, 0x7F, 2), "ceff"),
        (HdlcAddress(0x7F), "ff"),
        (HdlcAddress(0x7F, 0x7F, 2), "feff"),
        (HdlcAddress(ALL_STATIONS, ALL_STATIONS, 4), "fefefeff"),
        (HdlcAddress(1, CALLING_STATION, 4), "0002fefd"),
        (HdlcAddress(NO_STATION), "01"),
        (HdlcAddress(0x3A), "75"),
    ],
)
def test_known_octets(address: HdlcAddress, octets: str) -> None:
    assert address.octets.hex() == octets
    assert HdlcAddress.from_octets(bytes.fromhex(octets)) == address


@given(ADDRESSES, st.binary(max_size=5))
def test_round_trip_whatever_follows(address: HdlcAddress, after: bytes) -> None:
    assert HdlcAddress.from_octets(address.octets) == address
    assert len(address.octets) == address.size
    assert address_size(b"\x00" + address.octets + after, 1) == address.size


@given(ADDRESSES)
def test_an_address_that_is_not_whole_is_waited_for(address: HdlcAddress) -> None:
    for cut in range(address.size):
        assert address_size(address.octets[:cut], 0) is None


@pytest.mark.parametrize("octets", ["000003", "00000000", "0000000002"])
def test_three_octets_and_endless_ones_are_no_address(octets: str) -> None:
    assert address_size(bytes.fromhex(octets), 0) == 0


@pytest.mark.parametrize("octets", ["", "00", "0003ff", "000003", "00000000", "0303"])
def test_octets_that_are_no_address(octets: str) -> None:
    with pytest.raises(RemoteProtocolError, match="is no HDLC address"):
        HdlcAddress.from_octets(bytes.fromhex(octets))


@given(ADDRESSES)
def test_an_address_matches_itself(address: HdlcAddress) -> None:
    assert address.matches(address)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (HdlcAddress(1), HdlcAddress(1, 17, 2), True),
        (HdlcAddress(1), HdlcAddress(1, 17, 4), True),
        (HdlcAddress(1, 17, 2), HdlcAddress(1, 17, 4), True),
        (HdlcAddress(1, 17, 2), HdlcAddress(1, 18, 4), False),
        (HdlcAddress(2), HdlcAddress(1, 17, 2), False),
        (HdlcAddress(0x7F), HdlcAddress(0x7F, 0x7F, 2), True),
        (HdlcAddress(0x7F), HdlcAddress(ALL_STATIONS, ALL_STATIONS, 4), True),
        (HdlcAddress(1, 0x7F, 2), HdlcAddress(1, ALL_STATIONS, 4), True),
        (HdlcAddress(1, 0x7F, 4), HdlcAddress(1, ALL_STATIONS, 4), False),
    ],
)
def test_what_is_meant_counts_and_not_its_length(one: HdlcAddress, other: HdlcAddress, same: bool) -> None:
    assert one.matches(other) is same
    assert other.matches(one) is same


def test_all_stations() -> None:
    assert HdlcAddress(0x7F).is_all_stations
    assert HdlcAddress(1, 0x7F, 2).is_all_stations
    assert HdlcAddress(1, ALL_STATIONS, 4).is_all_stations
    assert not HdlcAddress(1, 0x7F, 4).is_all_stations
    assert not HdlcAddress(0x7F, 1, 2).is_all_stations
    assert not HdlcAddress(1).is_all_stations


@pytest.mark.parametrize("sap", [-1, 0, 127, 128, 1 << 20])
def test_a_client_has_one_octet_and_is_somebody(sap: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"1..126, not {sap}") as caught:
        HdlcAddress.of_client(sap)
    assert caught.value.blame is Blame.OURS


@pytest.mark.parametrize(
    ("upper", "lower", "size"),
    [
        (0, None, None),
        (1, 0, None),
        (0x4000, 1, None),
        (1, 0x4000, None),
        (0x80, None, 1),
        (1, 0x80, 2),
        (1, 1, 3),
    ],
)
def test_servers_that_cannot_be_addressed(upper: int, lower: int | None, size: int | None) -> None:
    with pytest.raises(LocalProtocolError):
        HdlcAddress.of_server(upper, lower, size)


@pytest.mark.parametrize(("upper", "lower", "size"), [(1, None, 2), (1, 1, 1), (1, None, 4), (-1, None, 1)])
def test_forms_that_do_not_exist(upper: int, lower: int | None, size: int) -> None:
    with pytest.raises(LocalProtocolError):
        HdlcAddress(upper, lower, size)


def test_as_short_as_can_be() -> None:
    assert HdlcAddress.of_server(1).size == 1
    assert HdlcAddress.of_server(0x7F, 0x7F).size == 2
    assert HdlcAddress.of_server(0x80, 1).size == 4
    assert HdlcAddress.of_server(1, 0x80).size == 4
    assert str(HdlcAddress.of_server(1, 17)) == "1/17 (2 octets)"
    assert str(HdlcAddress.of_client(16)) == "16 (1 octet)"
