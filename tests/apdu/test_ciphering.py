"""Ciphered APDUs as octets: every tag of the book, read and written, and nothing looked into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.apdu import (
    APDUS,
    CIPHERED_SERVICES,
    DEDICATED_TAGS,
    GLOBAL_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GeneralDedCiphering,
    GeneralGloCiphering,
    ServiceCiphering,
    TitledCiphering,
    decode_apdu,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError

TITLE = bytes.fromhex("4D4D4D0000BC614E")

# Plain tag, tag under the global key, tag under the dedicated key, name (Green Book 9.5).
TABLE = [
    (0x01, 0x21, 0x41, "initiate-request"),
    (0x05, 0x25, 0x45, "read-request"),
    (0x06, 0x26, 0x46, "write-request"),
    (0x08, 0x28, 0x48, "initiate-response"),
    (0x0C, 0x2C, 0x4C, "read-response"),
    (0x0D, 0x2D, 0x4D, "write-response"),
    (0x0E, 0x2E, 0x4E, "confirmed-service-error"),
    (0x16, 0x36, 0x56, "unconfirmed-write-request"),
    (0x18, 0x38, 0x58, "information-report-request"),
    (0xC0, 0xC8, 0xD0, "get-request"),
    (0xC1, 0xC9, 0xD1, "set-request"),
    (0xC2, 0xCA, 0xD2, "event-notification-request"),
    (0xC3, 0xCB, 0xD3, "action-request"),
    (0xC4, 0xCC, 0xD4, "get-response"),
    (0xC5, 0xCD, 0xD5, "set-response"),
    (0xC7, 0xCF, 0xD7, "action-response"),
]


def test_the_table_is_that_of_the_book() -> None:
    assert dict(GLOBAL_TAGS) == {plain: glo for plain, glo, _, _ in TABLE}
    assert dict(DEDICATED_TAGS) == {plain: ded for plain, _, ded, _ in TABLE}
    assert dict(PLAIN_TAGS) == {tag: plain for plain, *tags, _ in TABLE for tag in tags}
    assert set(CIPHERED_SERVICES) == set(PLAIN_TAGS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[3])
def test_each_is_read_and_written(row: tuple[int, int, int, str]) -> None:
    _, glo, ded, name = row
    for tag, prefix in ((glo, "glo"), (ded, "ded")):
        octets = bytes((tag, 6)) + b"\x30\0\0\0\x01x"
        apdu = decode_apdu(octets)
        assert isinstance(apdu, ServiceCiphering)
        assert type(apdu) is CIPHERED_SERVICES[tag]
        assert apdu.label == f"{prefix}-{name}"
        assert apdu.content == b"\x30\0\0\0\x01x"
        assert apdu.to_octets() == octets
        assert apdu == CIPHERED_SERVICES[tag](apdu.content)


@pytest.mark.parametrize(
    ("tag", "kind", "label"),
    [
        (0xDB, GeneralGloCiphering, "general-glo-ciphering"),
        (0xDC, GeneralDedCiphering, "general-ded-ciphering"),
    ],
)
def test_the_general_ones_bear_a_title_or_none(tag: int, kind: type[TitledCiphering], label: str) -> None:
    for title in (TITLE, b""):
        octets = bytes((tag, len(title))) + title + b"\x05\x30\0\0\0\x01"
        apdu = decode_apdu(octets)
        assert apdu == kind(title, b"\x30\0\0\0\x01")
        assert apdu.label == label
        assert apdu.to_octets() == octets


def test_all_of_them_are_ciphered_and_registered_once() -> None:
    ciphered = [kind for kind in APDUS if issubclass(kind, CipheredApdu)]
    assert len(ciphered) == len(set(ciphered)) == 2 * len(TABLE) + 3
    assert len({kind.__name__ for kind in ciphered}) == len(ciphered)
    assert CIPHERED_SERVICES[0xC8].__name__ == "GloGetRequest"
    assert all(kind.__doc__ for kind in ciphered)


def test_no_repr_shows_what_may_be_in_plain() -> None:
    assert "password" not in repr(CIPHERED_SERVICES[0xC9](b"\x10\0\0\0\x01password"))
    assert "password" not in repr(GeneralGloCiphering(TITLE, b"\x10\0\0\0\x01password"))


@pytest.mark.parametrize(
    "octets", ["C8", "C805", "C8050000", "C884FFFFFFFF", "DB", "DB08", "DB0005", "C80100FF"]
)
def test_what_ends_early_or_goes_on_is_refused(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_apdu(bytes.fromhex(octets))


@given(st.sampled_from(sorted(CIPHERED_SERVICES)), st.binary(max_size=400))
def test_content_is_opaque(tag: int, content: bytes) -> None:
    apdu = CIPHERED_SERVICES[tag](content)
    assert decode_apdu(apdu.to_octets()) == apdu


def test_content_must_be_octets() -> None:
    with pytest.raises(LocalProtocolError):
        CIPHERED_SERVICES[0xC8]("text").to_octets()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # on purpose
