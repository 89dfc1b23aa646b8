"""The tables behind explain: APDU tags, and the names of elements that declarations give."""

import pytest

from meterwright.apdu import APDUS, AttributeDescriptor, CipheredApdu, MethodDescriptor
from meterwright.cosem import INTERFACE_CLASSES
from meterwright.data import Data
from meterwright.diagnose.elements import Element, class_name, element, enum_of, guess, subject
from meterwright.diagnose.tags import TAGS
from meterwright.diagnose.wording import iso, kebab, legal, safe
from meterwright.values import CosemDateTime, DataAccessResult, ImageTransferStatus, Obis, Unit


def test_every_apdu_that_is_read_has_its_tag_in_the_table() -> None:
    for cls in APDUS:
        tag = TAGS[cls.prefix[0]]
        assert cls.label.startswith(tag.name)
        assert tag.ciphered == issubclass(cls, CipheredApdu)


def test_names_of_tags_are_unique() -> None:
    assert len({tag.name for tag in TAGS.values()}) == len(TAGS)


@pytest.mark.parametrize(
    ("tag", "name"),
    [(0x2E, "glo-confirmed-service-error"), (0x56, "ded-unconfirmed-write-request"), (0xCF, "glo-action-response"),
     (0xD2, "ded-event-notification-request"), (0xE6, "gateway-request")],
)  # fmt: skip
def test_ciphered_tags_follow_the_plain_ones(tag: int, name: str) -> None:
    assert TAGS[tag].name == name


def test_every_declared_attribute_and_method_has_a_name() -> None:
    obis = Obis.parse("0.0.1.0.0.255")
    for (class_id, _), cls in INTERFACE_CLASSES.items():
        assert class_name(class_id)
        for number in cls.attributes:
            assert "attribute" not in subject(AttributeDescriptor(class_id, obis, number)).name
        for number in cls.methods:
            assert not subject(MethodDescriptor(class_id, obis, number)).name.startswith("method ")


def test_what_is_not_declared_goes_by_its_number() -> None:
    obis = Obis.parse("0.0.1.0.0.255")
    assert class_name(999) == ""
    assert subject(AttributeDescriptor(999, obis, 7)).name == "attribute 7"
    assert subject(MethodDescriptor(18, obis, 9)).name == "method 9"


def test_elements_have_the_names_of_the_declaration() -> None:
    assert element("structure ImageInitiation", 1) == Element("image_size", "double-long-unsigned")
    assert element("array of structure ImageToActivateInfo", 3) == Element(
        "[3]", "structure ImageToActivateInfo"
    )
    assert element("structure ImageInitiation", 9) == Element("[9]")
    assert element("", 0) == Element("[0]")


def test_enumerations_are_found_by_the_name_of_their_type() -> None:
    assert enum_of("enum ImageTransferStatus") is ImageTransferStatus
    assert enum_of("enum Unit") is Unit
    assert enum_of("enum Nonsense") is None
    assert enum_of("unsigned") is None


def test_a_scaler_and_a_unit_are_known_by_their_shape_but_not_in_an_array() -> None:
    data = Data.from_octets(bytes.fromhex("02020fff161e"))
    assert guess(data, in_array=False) == "structure ScalerUnit"
    assert guess(data, in_array=True) == ""
    assert (
        guess(Data.from_octets(bytes.fromhex("020412000809050000010000" + "0f02120000")), in_array=True) == ""
    )


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("07e80101010000000080 0000", "2024-01-01T00:00:00"),
        ("07e80705050c1e0032ff8880", "2024-07-05T12:30:00.500000+02:00"),
        ("07e8010101000000ff7fff00", "2024-01-01T00:00:00"),  # three weeks off UTC: no zone has that
        ("ffff0101010000000080 0000", None),
        ("07e8021f01000000ff800000", None),
        ("07e80101011900 00ff800000", None),
    ],
)
def test_moments_in_iso_8601(octets: str, text: str | None) -> None:
    assert iso(CosemDateTime.from_octets(bytes.fromhex(octets))) == text


def test_names_of_classes_become_those_of_the_standard() -> None:
    assert kebab(DataAccessResult) == "data-access-result"
    assert legal("05 where only 00 (Data) or 01 (DataAccessResult) is legal") == (
        "05 where only 00 (data) or 01 (data-access-result) is legal"
    )
    assert legal("00 (bytes) or 01 (present)") == "00 (raw-data) or 01 (present)"


def test_text_from_the_wire_is_made_harmless() -> None:
    assert safe("a\x1b[31m\u202eb\udc80") == "a\\x1b[31m\\u202eb\\udc80"
    assert safe("é m³") == "é m³"
    assert safe("x" * 100, 10) == "x" * 10 + "…"
