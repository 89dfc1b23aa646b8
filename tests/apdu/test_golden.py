"""Every APDU against octets written by hand, both ways; and where meters depart from the book, what is read all the same."""

import pytest
from tests.apdu.golden import C1, GOLDEN, MOMENT, NOBODY, SERIAL, STANDARD, octets_of

from meterwright.apdu import (
    APDUS,
    Aare,
    Aarq,
    ActionResponseNormal,
    Apdu,
    DataNotification,
    EventNotificationRequest,
    GetResponseNormal,
    InitiateRequest,
    InitiateResponse,
    decode_apdu,
)
from meterwright.codec import Span
from meterwright.data import Data, DataTag, integer, octet_string
from meterwright.errors import RemoteProtocolError
from meterwright.values import CosemDateTime, DataAccessResult

IDS = [octets.replace(" ", "")[:24] + f"-{number}" for number, (octets, _) in enumerate(GOLDEN)]


@pytest.mark.parametrize(("hexadecimal", "apdu"), GOLDEN, ids=IDS)
def test_it_is_sent_as_the_book_has_it(hexadecimal: str, apdu: Apdu) -> None:
    assert apdu.to_octets().hex() == octets_of(hexadecimal).hex()


@pytest.mark.parametrize(("hexadecimal", "apdu"), GOLDEN, ids=IDS)
def test_it_is_read_as_the_book_has_it(hexadecimal: str, apdu: Apdu) -> None:
    assert decode_apdu(octets_of(hexadecimal)) == apdu


@pytest.mark.parametrize(("hexadecimal", "apdu"), GOLDEN, ids=IDS)
def test_a_trace_means_the_same_and_names_every_octet(hexadecimal: str, apdu: Apdu) -> None:
    octets = octets_of(hexadecimal)
    span, error = APDUS.trace(octets)
    assert error is None
    assert (span.name, span.start, span.end, span.value) == (apdu.label, 0, len(octets), apdu)
    assert_spans_nest(span)


def assert_spans_nest(span: Span) -> None:
    """Parts lie in the whole, in order, without overlap."""
    position = span.start
    for child in span.children:
        assert child.start >= position
        assert child.end is not None
        assert span.end is not None
        assert child.end <= span.end
        position = child.end
        assert_spans_nest(child)


def test_every_class_has_its_octets_here() -> None:
    """Or one that differs from it in its tag alone."""
    assert {shape(type(apdu)) for _, apdu in GOLDEN} == {shape(kind) for kind in APDUS}


def shape(kind: type[Apdu]) -> type[Apdu]:
    """The class that declared the fields: ciphered services by the dozen share theirs."""
    (base,) = kind.__bases__
    declares = bool(vars(kind).get("__annotations__"))
    return kind if declares or not issubclass(base, Apdu) else shape(base)


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (ActionResponseNormal, "action-response-normal"),
        (DataNotification, "data-notification"),
        (Aarq, "aarq"),
        (InitiateRequest, "initiate-request"),
        (GetResponseNormal, "get-response-normal"),
    ],
)
def test_labels_are_the_standards_names(kind: type[Apdu], label: str) -> None:
    assert kind.label == label


def test_labels_are_unique() -> None:
    labels = [kind.label for kind in APDUS]
    assert len(set(labels)) == len(labels)


class TestDepartures:
    """What real meters send although the book says otherwise. What is sent from here is by the book."""

    def test_conformance_without_the_second_tag_octet(self) -> None:
        read = decode_apdu(octets_of("01 00 00 00 06 5F0400 007E1F 04B0"))
        assert read == InitiateRequest(None, True, None, 6, STANDARD, 1200)
        assert decode_apdu(octets_of("08 00 06 5F0400 007E1F 01F4 0007")) == InitiateResponse(
            None, 6, STANDARD, 500, 7
        )

    def test_kaifa_puts_a_data_tag_before_the_date_time(self) -> None:
        read = decode_apdu(octets_of("0F 00000001 090C 07E8010101000000FF800000 0F01"))
        assert read == DataNotification(NOBODY, MOMENT, Data(DataTag.INTEGER, 1))

    @pytest.mark.parametrize("before", ["0C", "090C", ""])
    def test_the_time_of_an_event_with_a_data_tag_or_without_its_length(self, before: str) -> None:
        octets = octets_of(f"C2 01 {before} 07E8010101000000FF800000 0001 0000600100FF 02 0F01")
        assert decode_apdu(octets) == EventNotificationRequest(MOMENT, SERIAL, integer(1))

    @pytest.mark.parametrize("length", ["02", "8102", "820002", "83000002", "8400000002"])
    def test_lengths_longer_than_needed(self, length: str) -> None:
        read = decode_apdu(octets_of(f"C401C100 09 {length} AABB"))
        assert read == GetResponseNormal(C1, octet_string(octets_of("AABB")))

    def test_ber_lengths_longer_than_needed(self) -> None:
        read = decode_apdu(octets_of("618118 A18109060760857405080101 A203020101 A305A10302010D"))
        assert isinstance(read, Aare)
        assert read.application_context_name == 1

    @pytest.mark.parametrize("octet", ["01", "02", "80", "FF"])
    def test_any_octet_but_zero_is_true(self, octet: str) -> None:
        assert decode_apdu(octets_of(f"C401C100 03 {octet}")) == GetResponseNormal(
            C1, Data(DataTag.BOOLEAN, True)
        )

    def test_codes_that_nobody_wrote_down(self) -> None:
        read = decode_apdu(octets_of("C401C1 01 63"))
        assert isinstance(read, GetResponseNormal)
        assert read.result == DataAccessResult(0x63)
        assert read.to_octets() == octets_of("C401C10163")

    def test_the_reserved_bits_of_the_invoke_id_come_back(self) -> None:
        assert decode_apdu(octets_of("C401 F1 00 00")).to_octets() == octets_of("C401F10000")

    @pytest.mark.parametrize("tag", ["9D", "BD"])
    def test_implementation_information_is_passed_over(self, tag: str) -> None:
        read = decode_apdu(octets_of(f"6010 A109060760857405080101 {tag}03414243"))
        assert isinstance(read, Aarq)
        assert read.application_context_name == 1
        assert read.user_information is None

    def test_fields_of_acse_come_in_any_order(self) -> None:
        read = decode_apdu(octets_of("6117 A305A10302010D A203020101 A109060760857405080101"))
        assert isinstance(read, Aare)
        assert (read.application_context_name, read.result, read.result_source_diagnostic) == (1, 1, 13)


class TestRefused:
    """What has no meaning is refused, with the offset of the first octet that is wrong."""

    @pytest.mark.parametrize(
        ("hexadecimal", "offset", "says"),
        [
            ("", 0, "without a single octet"),
            ("AA", 0, "aa is no APDU tag"),
            ("C0", 1, "nothing where one of 01, 02, 03 is legal"),
            ("C004C1", 1, "04 where one of 01, 02, 03 is legal"),
            ("C001C100080000010000FF0202", 12, "02 where only 00"),
            ("C401C102", 3, "02 where only 00 (Data) or 01 (DataAccessResult) is legal"),
            ("C401C1000B", 4, "0b is no data tag"),
            ("C401C10000FF", 5, "1 octets too many"),
            ("C401C1000904AABB", 8, "2 more"),
            ("C401C10009850000000001", 5, "85 is no length"),
            ("C401C1000980AABB", 5, "80 is no length"),
            ("01000000065F1F0401007E1F04B0", 5, "no conformance block"),
            ("0F0000000103", 6, "3 more"),
            ("C20105AABBCCDDEE000100", 2, "date-time of 5 octets"),
            ("C201", 2, "too early"),
            ("180001030000", 3, "03 where only 02 (VariableName)"),
            ("D9400000000001060001", 7, "06 where only 01 (AccessRequestGet)"),
            ("0F0000000103AABBCC00", 5, "date-time of 3 octets"),
            ("6105A203020101A2", 7, "too many"),
            ("610AA203020101A203020101", 7, "a second result"),
            ("6105A203040101", 4, "04 where 02 is legal"),
            ("6105A303A0010100", 4, "a0 where a1 or a2 is legal"),
            ("6106A204020201FF", 6, "511 is none of its codes"),
            ("600BA109060760857405080201", 6, "is not below"),
        ],
    )
    def test_with_the_offset(self, hexadecimal: str, offset: int, says: str) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            decode_apdu(octets_of(hexadecimal))
        assert caught.value.where.offset == offset, caught.value
        assert says in caught.value.what


def test_a_secret_does_not_show() -> None:
    aarq = Aarq(calling_authentication_value=b"12345678", user_information=b"secret")
    initiate = InitiateRequest(b"dedicated-key", True, None, 6, STANDARD, 0)
    for shown in (repr(aarq), repr(initiate), str(aarq)):
        assert "1234" not in shown
        assert "secret" not in shown
        assert "dedicated-k" not in shown


def test_a_date_time_in_a_response_is_found() -> None:
    read = decode_apdu(octets_of("C401C1 00 19 07E8010101000000FF800000"))
    assert isinstance(read, GetResponseNormal)
    assert read.result == Data(DataTag.DATE_TIME, CosemDateTime.from_octets(MOMENT.to_octets()))
