"""Security setup (class 64): which protection a meter demands, and how its keys are changed. Blue Book 4.4.7.

Two versions are in the field. They share policy, suite and system titles; 0 knows global keys alone, 1 adds key agreement
and certificates. What protects in fact is the business of `security`: here stands only how it is said.

A key to be transferred is wrapped under the master key. A plain key has another length, and is refused before it is sent.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final, Self

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method
from meterwright.data import (
    Data,
    DataTag,
    DataType,
    array,
    elements_of,
    enumerated,
    octet_string,
    structure,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import (
    CertificateEntity,
    CertificateType,
    OpenIntEnum,
    SecurityPolicy,
    SecuritySuite,
)

__all__ = [
    "CertificateBySerial",
    "CertificateEntity",
    "CertificateIdentification",
    "CertificateIdentificationType",
    "CertificateInfo",
    "CertificateOfEntity",
    "CertificateType",
    "KeyAgreement",
    "KeyId",
    "KeyTransfer",
    "SecuritySetup",
    "SecuritySetupV0",
]

_WRAPPED_SIZES: Final = (24, 40)
"""Octets of a key of 16 or 32, wrapped."""


class KeyId(OpenIntEnum):
    """Which of a meter's symmetric keys."""

    GLOBAL_UNICAST_ENCRYPTION = 0
    GLOBAL_BROADCAST_ENCRYPTION = 1
    AUTHENTICATION = 2
    MASTER = 3


class CertificateIdentificationType(OpenIntEnum):
    """By what a certificate is named."""

    ENTITY = 0
    SERIAL_NUMBER = 1


def _wrapped_to(octets: bytes) -> Data:
    if len(octets) not in _WRAPPED_SIZES:
        raise LocalProtocolError(
            f"{len(octets)} octets where a wrapped key has 24 or 40",
            layer="cosem",
            hint="wrap it under the master key: a key of 16 octets becomes 24, one of 32 becomes 40",
        )
    return octet_string(octets)


def _wrapped_from(data: Data) -> bytes:
    octets = octet_string.from_data(data)
    if len(octets) not in _WRAPPED_SIZES:
        raise RemoteProtocolError(f"{len(octets)} octets where a wrapped key has 24 or 40", layer="cosem")
    return octets


_wrapped_key: Final[DataType[bytes]] = DataType(
    octet_string.name, _wrapped_to, _wrapped_from, octet_string.tag, size=_WRAPPED_SIZES[0]
)


@dataclass(frozen=True, slots=True)
class KeyTransfer:
    """A new key, wrapped under the master key (RFC 3394). No repr shows it."""

    key_id: Annotated[KeyId, enumerated(KeyId)]
    key_wrapped: Annotated[bytes, _wrapped_key] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyAgreement:
    """One side's part of a key agreement: its ephemeral public key, and the signature over key_id and that key."""

    key_id: Annotated[KeyId, enumerated(KeyId)]
    key_data: Annotated[bytes, octet_string]


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """A certificate that the meter holds, without its key."""

    certificate_entity: Annotated[CertificateEntity, enumerated(CertificateEntity)]
    certificate_type: Annotated[CertificateType, enumerated(CertificateType)]
    serial_number: Annotated[bytes, octet_string]
    issuer: Annotated[bytes, octet_string]
    subject: Annotated[bytes, octet_string]
    subject_alt_name: Annotated[bytes, octet_string]


@dataclass(frozen=True, slots=True)
class CertificateOfEntity:
    """The certificate that somebody has for something."""

    certificate_entity: Annotated[CertificateEntity, enumerated(CertificateEntity)]
    certificate_type: Annotated[CertificateType, enumerated(CertificateType)]
    system_title: Annotated[bytes, octet_string]


@dataclass(frozen=True, slots=True)
class CertificateBySerial:
    """The certificate that bears this number of this issuer."""

    serial_number: Annotated[bytes, octet_string]
    issuer: Annotated[bytes, octet_string]


_of_entity: Final = structure(CertificateOfEntity)
_by_serial: Final = structure(CertificateBySerial)


def _options_to(value: CertificateOfEntity | CertificateBySerial) -> Data:
    return _of_entity(value) if isinstance(value, CertificateOfEntity) else _by_serial(value)


def _options_from(data: Data) -> CertificateOfEntity | CertificateBySerial:
    of_entity = len(elements_of(data, _of_entity.name)) == len(_of_entity.parts)
    return _of_entity.from_data(data) if of_entity else _by_serial.from_data(data)


_options: Final[DataType[CertificateOfEntity | CertificateBySerial]] = DataType(
    "structure CertificateOptions", _options_to, _options_from, DataTag.STRUCTURE, _of_entity.parts
)


@dataclass(frozen=True, slots=True)
class CertificateIdentification:
    """Which certificate is meant. Made by `of_entity` or `by_serial`, so that type and options agree."""

    identification_type: Annotated[CertificateIdentificationType, enumerated(CertificateIdentificationType)]
    options: Annotated[CertificateOfEntity | CertificateBySerial, _options]

    @classmethod
    def of_entity(cls, entity: CertificateEntity, use: CertificateType, system_title: bytes) -> Self:
        """That which somebody has for something."""
        options = CertificateOfEntity(entity, use, system_title)
        return cls(CertificateIdentificationType.ENTITY, options)

    @classmethod
    def by_serial(cls, serial_number: bytes, issuer: bytes) -> Self:
        """That which bears this number of this issuer."""
        return cls(CertificateIdentificationType.SERIAL_NUMBER, CertificateBySerial(serial_number, issuer))

    @property
    def agrees(self) -> bool:
        """Whether the options are those of the type; a type that nobody wrote down has any."""
        options = type(self.options)
        return _OPTIONS.get(self.identification_type, options) is options


_OPTIONS: Final[dict[CertificateIdentificationType, type]] = {
    CertificateIdentificationType.ENTITY: CertificateOfEntity,
    CertificateIdentificationType.SERIAL_NUMBER: CertificateBySerial,
}
_identification: Final = structure(CertificateIdentification)


def _identification_to(value: CertificateIdentification) -> Data:
    if not value.agrees:
        raise LocalProtocolError("the options of a certificate are of another type", layer="cosem")
    return _identification(value)


def _identification_from(data: Data) -> CertificateIdentification:
    value = _identification.from_data(data)
    if not value.agrees:
        raise RemoteProtocolError("the options of a certificate are of another type", layer="cosem")
    return value


_certificate: Final[DataType[CertificateIdentification]] = DataType(
    _identification.name, _identification_to, _identification_from, DataTag.STRUCTURE, _identification.parts
)


class _Shared(InterfaceClass[A_co], class_id=64, instance="0.0.43.0.0.255"):
    """What both versions have."""

    security_policy = Attribute(2, enumerated(SecurityPolicy), static=True)
    security_suite = Attribute(3, enumerated(SecuritySuite), static=True)
    client_system_title = Attribute(4, octet_string)
    server_system_title = Attribute(5, octet_string, static=True)

    security_activate = Method(1, enumerated(SecurityPolicy))


class SecuritySetupV0(_Shared[A_co], version=0):
    """Security setup, version 0: policies 0 to 3, and global keys. 0.0.43.0.0.255 is that of the association one asks in."""

    global_key_transfer = Method(2, array(structure(KeyTransfer)))


class SecuritySetup(_Shared[A_co], version=1):
    """Security setup, version 1: the policy is a bit mask; key agreement and certificates are added."""

    certificates = Attribute(6, array(structure(CertificateInfo)), static=True)

    key_transfer = Method(2, array(structure(KeyTransfer)))
    key_agreement = Method(3, array(structure(KeyAgreement)), array(structure(KeyAgreement)))
    generate_key_pair = Method(4, enumerated(CertificateType))
    generate_certificate_request = Method(5, enumerated(CertificateType), octet_string)
    import_certificate = Method(6, octet_string)
    export_certificate = Method(7, _certificate, octet_string)
    remove_certificate = Method(8, _certificate)
