"""Security setup: both versions by the book's numbers, and octet for octet what goes over the wire."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cosem.fakes import AsyncFake, BlockingFake

from meterwright.cosem import (
    CertificateBySerial,
    CertificateEntity,
    CertificateIdentification,
    CertificateIdentificationType,
    CertificateInfo,
    CertificateOfEntity,
    CertificateType,
    KeyAgreement,
    KeyId,
    KeyTransfer,
    SecuritySetup,
    SecuritySetupV0,
    interface_class,
)
from meterwright.data import Data, octet_string
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_of
from meterwright.values import Protection, Role, SecurityPolicy, SecuritySuite

SETUP = "0.0.43.0.3.255"
WRAPPED = bytes.fromhex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")
"""The example of RFC 3394: a key of 16 octets, wrapped."""
TITLE = bytes.fromhex("4D4D4D0000BC614E")
OF_METER = CertificateIdentification.of_entity(CertificateEntity.SERVER, CertificateType.KEY_AGREEMENT, TITLE)
BY_SERIAL = CertificateIdentification.by_serial(b"\x01\x02", b"CA")
TYPES = [
    *(each.type for each in SecuritySetup.attributes.values()),
    *(each.parameter for each in SecuritySetup.methods.values()),
]


def data(octets: str) -> Data:
    """What a meter sends."""
    return Data.from_octets(bytes.fromhex(octets))


class TestDeclared:
    """By the numbers of the book."""

    def test_both_versions_are_siblings(self) -> None:
        assert interface_class(64) is interface_class(64, 1) is SecuritySetup
        assert interface_class(64, 0) is SecuritySetupV0
        assert SecuritySetup.instance == SecuritySetupV0.instance == "0.0.43.0.0.255"
        assert not issubclass(SecuritySetup, SecuritySetupV0)
        assert SecuritySetup.security_policy is SecuritySetupV0.security_policy

    def test_version_0(self) -> None:
        assert [each.name for each in SecuritySetupV0.attributes.values()] == [
            "logical_name", "security_policy", "security_suite", "client_system_title", "server_system_title",
        ]  # fmt: skip
        assert {number: each.name for number, each in SecuritySetupV0.methods.items()} == {
            1: "security_activate",
            2: "global_key_transfer",
        }

    def test_version_1(self) -> None:
        assert SecuritySetup.certificates.attribute_id == 6
        assert set(SecuritySetup.attributes) == {1, 2, 3, 4, 5, 6}
        assert [SecuritySetup.methods[number].name for number in range(1, 9)] == [
            "security_activate", "key_transfer", "key_agreement", "generate_key_pair",
            "generate_certificate_request", "import_certificate", "export_certificate", "remove_certificate",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("codes", "names"),
        [
            (KeyId, "global-unicast-encryption global-broadcast-encryption authentication master"),
            (CertificateEntity, "server client certification-authority other"),
            (CertificateType, "digital-signature key-agreement tls other"),
            (CertificateIdentificationType, "entity serial-number"),
        ],
    )
    def test_enumerations_count_from_0(self, codes: Any, names: str) -> None:
        assert [codes(number).label for number in range(len(names.split()))] == names.split()
        assert not codes(len(names.split())).is_known


class TestPolicyAndTitles:
    """What both versions have."""

    @pytest.mark.parametrize(
        ("octets", "request_", "response"),
        [
            ("16 00", Protection.NONE, Protection.NONE),
            ("16 03", Protection.BOTH, Protection.BOTH),
            ("11 02", Protection.ENCRYPTION, Protection.ENCRYPTION),
            ("16 0C", Protection.BOTH, Protection.NONE),
            ("16 60", Protection.NONE, Protection.BOTH),
            ("16 6C", Protection.BOTH, Protection.BOTH),
        ],
    )
    def test_a_policy_is_a_number_or_bits(
        self, octets: str, request_: Protection, response: Protection
    ) -> None:
        policy = SecuritySetup(BlockingFake({"64/0.0.43.0.0.255/2": data(octets)})).security_policy.get()
        assert (policy.required(Role.CLIENT), policy.required(Role.SERVER)) == (request_, response)

    def test_suite_and_titles(self) -> None:
        values = {
            f"64/{SETUP}/3": data("16 00"),
            f"64/{SETUP}/4": data("09 00"),
            f"64/{SETUP}/5": octet_string(TITLE),
        }
        setup = SecuritySetupV0(BlockingFake(values), SETUP)
        assert setup.security_suite.get() is SecuritySuite.SUITE_0
        assert (setup.client_system_title.get(), setup.server_system_title.get()) == (b"", TITLE)

    def test_activating_a_policy(self) -> None:
        fake = BlockingFake()
        SecuritySetupV0(fake, SETUP).security_activate.invoke(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
        SecuritySetup(fake, SETUP).security_activate.invoke(SecurityPolicy(0x6C))
        name = f"64/{SETUP}/method 1"
        assert fake.invoked == [(name, data("16 03")), (name, data("16 6C"))]


class TestKeys:
    """Transferred and agreed on."""

    def test_a_transfer_octet_for_octet(self) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        transfer = (KeyTransfer(KeyId.GLOBAL_UNICAST_ENCRYPTION, WRAPPED),)
        SecuritySetupV0(blocking, SETUP).global_key_transfer.invoke(transfer)
        asyncio.run(SecuritySetup(awaited, SETUP).key_transfer.invoke(transfer))
        expected = data("01 01 02 02 16 00 09 18" + WRAPPED.hex())
        assert blocking.invoked == awaited.invoked == [(f"64/{SETUP}/method 2", expected)]

    def test_several_keys_in_one_call(self) -> None:
        both = (KeyTransfer(KeyId.AUTHENTICATION, WRAPPED), KeyTransfer(KeyId.MASTER, bytes(40)))
        octets = SecuritySetup.key_transfer.parameter(both).to_octets()
        assert octets.hex() == f"0102020216020918{WRAPPED.hex()}020216030928{bytes(40).hex()}"
        assert SecuritySetup.key_transfer.parameter.from_data(Data.from_octets(octets)) == both

    @pytest.mark.parametrize("size", [0, 16, 23, 25, 32, 41])
    def test_a_key_that_is_not_wrapped_is_neither_sent_nor_taken(self, size: int) -> None:
        plain = bytes(range(size))
        fake = BlockingFake()
        with pytest.raises(LocalProtocolError, match=f"{size} octets where a wrapped key has") as caught:
            SecuritySetupV0(fake).global_key_transfer.invoke((KeyTransfer(KeyId.AUTHENTICATION, plain),))
        assert "wrap it under the master key" in caught.value.hint
        assert fake.invoked == []
        received = data(f"01 01 02 02 16 00 09 {size:02x} {plain.hex()}")
        with pytest.raises(RemoteProtocolError):
            SecuritySetupV0.global_key_transfer.parameter.from_data(received)

    def test_no_repr_shows_a_key(self) -> None:
        shown = repr(KeyTransfer(KeyId.MASTER, WRAPPED))
        assert "MASTER" in shown
        assert repr(WRAPPED) not in shown

    def test_an_agreement_is_answered_in_kind(self) -> None:
        fake = BlockingFake()
        theirs = KeyAgreement(KeyId.GLOBAL_UNICAST_ENCRYPTION, bytes(128))
        fake.returned = data("01 01 02 02 16 00 09 81 80" + bytes(128).hex())
        ours = KeyAgreement(KeyId.GLOBAL_UNICAST_ENCRYPTION, b"\1" * 128)
        assert SecuritySetup(fake).key_agreement.invoke((ours,)) == (theirs,)
        expected = data("01 01 02 02 16 00 09 81 80" + "01" * 128)
        assert fake.invoked == [("64/0.0.43.0.0.255/method 3", expected)]


class TestCertificates:
    """Version 1."""

    def test_the_list_octet_for_octet(self) -> None:
        octets = "01 01 02 06 16 00 16 01 09 02 01 02 09 02 43 41 09 08" + TITLE.hex() + "09 00"
        setup = SecuritySetup(BlockingFake({f"64/{SETUP}/6": data(octets)}), SETUP)
        entity, use = CertificateEntity.SERVER, CertificateType.KEY_AGREEMENT
        assert setup.certificates.get() == (CertificateInfo(entity, use, b"\x01\x02", b"CA", TITLE, b""),)

    @pytest.mark.parametrize(
        ("identification", "octets"),
        [
            (OF_METER, "02 02 16 00 02 03 16 00 16 01 09 08" + TITLE.hex()),
            (BY_SERIAL, "02 02 16 01 02 02 09 02 01 02 09 02 43 41"),
        ],
        ids=["of-entity", "by-serial"],
    )
    def test_a_certificate_is_named_octet_for_octet(
        self, identification: CertificateIdentification, octets: str
    ) -> None:
        fake = BlockingFake()
        fake.returned = octet_string(b"\x30\x00")
        setup = SecuritySetup(fake, SETUP)
        assert setup.export_certificate.invoke(identification) == b"\x30\x00"
        setup.remove_certificate.invoke(identification)
        methods = [f"64/{SETUP}/method 7", f"64/{SETUP}/method 8"]
        assert fake.invoked == [(method, data(octets)) for method in methods]
        assert SecuritySetup.remove_certificate.parameter.from_data(data(octets)) == identification

    @pytest.mark.parametrize(
        "mismatched",
        [
            CertificateIdentification(CertificateIdentificationType.SERIAL_NUMBER, OF_METER.options),
            CertificateIdentification(CertificateIdentificationType.ENTITY, BY_SERIAL.options),
        ],
        ids=["of-entity", "by-serial"],
    )
    def test_options_of_another_type_are_refused(self, mismatched: CertificateIdentification) -> None:
        fake = BlockingFake()
        with pytest.raises(LocalProtocolError, match="another type"):
            SecuritySetup(fake).remove_certificate.invoke(mismatched)
        assert fake.invoked == []

    @pytest.mark.parametrize(
        "octets",
        [
            "02 02 16 01 02 03 16 00 16 01 09 00",
            "02 02 16 00 02 02 09 00 09 00",
            "02 02 16 00 02 01 09 00",
            "02 02 16 00 09 00",
            "02 01 16 00",
            "09 00",
        ],
    )
    def test_what_names_no_certificate_is_refused(self, octets: str) -> None:
        with pytest.raises(RemoteProtocolError):
            SecuritySetup.export_certificate.parameter.from_data(data(octets))

    def test_a_type_nobody_wrote_down_may_have_either_options(self) -> None:
        for options in (OF_METER.options, BY_SERIAL.options):
            odd = CertificateIdentification(CertificateIdentificationType(7), options)
            parameter = SecuritySetup.export_certificate.parameter
            assert parameter.from_data(parameter(odd)) == odd

    def test_pairs_requests_and_imports(self) -> None:
        fake = BlockingFake()
        setup = SecuritySetup(fake, SETUP)
        setup.generate_key_pair.invoke(CertificateType.DIGITAL_SIGNATURE)
        fake.returned = octet_string(b"\x30\x01")
        assert setup.generate_certificate_request.invoke(CertificateType.TLS) == b"\x30\x01"
        setup.import_certificate.invoke(b"\x30\x02")
        sent = [(method, parameter.to_octets().hex()) for method, parameter in fake.invoked if parameter]
        assert sent == [
            (f"64/{SETUP}/method 4", "1600"),
            (f"64/{SETUP}/method 5", "1602"),
            (f"64/{SETUP}/method 6", "09023002"),
        ]

    @given(st.builds(CertificateOfEntity, st.sampled_from(CertificateEntity), st.sampled_from(CertificateType), st.binary())
           | st.builds(CertificateBySerial, st.binary(), st.binary()))  # fmt: skip
    def test_every_identification_comes_back(
        self, options: CertificateOfEntity | CertificateBySerial
    ) -> None:
        number = CertificateIdentificationType(int(isinstance(options, CertificateBySerial)))
        identification = CertificateIdentification(number, options)
        parameter = SecuritySetup.export_certificate.parameter
        assert parameter.from_data(Data.from_octets(parameter(identification).to_octets())) == identification


@given(st.sampled_from(TYPES).flatmap(lambda kind: st.tuples(st.just(kind), data_of(kind))))
def test_what_is_sent_is_read(drawn: tuple[Any, Data]) -> None:
    kind, sent = drawn
    value = kind.from_data(sent)
    assert kind(value) == sent
    assert kind.from_data(Data.from_octets(kind(value).to_octets())) == value


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("security_activate", "all"),
        ("security_activate", None),
        ("key_transfer", KeyTransfer(KeyId.MASTER, WRAPPED)),
        ("key_transfer", ((0, "x" * 24),)),
        ("key_transfer", (WRAPPED,)),
        ("key_transfer", (KeyAgreement(KeyId.MASTER, WRAPPED),)),
        ("key_agreement", (KeyTransfer(KeyId.MASTER, WRAPPED),)),
        ("import_certificate", "MII"),
        ("generate_key_pair", "tls"),
        ("export_certificate", OF_METER.options),
        ("export_certificate", b"\x01\x02"),
        ("export_certificate", CertificateIdentification(CertificateIdentificationType(9), 5)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # on purpose
    ],
)
def test_what_does_not_fit_is_not_sent(method: str, value: Any) -> None:
    fake = BlockingFake()
    setup: Any = SecuritySetup(fake)
    with pytest.raises(LocalProtocolError):
        getattr(setup, method).invoke(value)
    assert fake.invoked == []
