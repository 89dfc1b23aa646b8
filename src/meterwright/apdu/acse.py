"""ACSE: opening and closing an association (Green Book 9.4.2), in BER. User information carries an xDLMS APDU."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Final, TypeAlias, TypeVar, dataclass_transform, get_args, get_type_hints

from meterwright.apdu.registry import APDUS
from meterwright.codec import (
    Apdu,
    Content,
    Explicit,
    ExplicitChoice,
    Integer,
    ObjectIdentifier,
    Tagged,
    ber_codec,
)
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
)

__all__ = [
    "AUTHENTICATION_REQUIREMENT",
    "Aare",
    "Aarq",
    "AcseApdu",
    "AssociateSourceDiagnostic",
    "Rlre",
    "Rlrq",
]

C = TypeVar("C", bound="AcseApdu")

_CONTEXT_ARC: Final = bytes.fromhex("608574050801")
_MECHANISM_ARC: Final = bytes.fromhex("608574050802")
_OBJECT_IDENTIFIER, _INTEGER, _OCTET_STRING, _CHARSTRING = 0x06, 0x02, 0x04, 0x80

AUTHENTICATION_REQUIREMENT: Final = b"\x07\x80"
"""ACSE requirements: a bit string of one bit, set: the authentication functional unit."""

AssociateSourceDiagnostic: TypeAlias = AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic

_BITS = Content()
_OCTETS = Explicit(_OCTET_STRING, Content())
_NUMBER = Explicit(_INTEGER, Integer())
_SECRET = Explicit(_CHARSTRING, Content())
_CONTEXT = Explicit(_OBJECT_IDENTIFIER, ObjectIdentifier(_CONTEXT_ARC, ApplicationContext))
_MECHANISM = ObjectIdentifier(_MECHANISM_ARC, AuthenticationMechanism)
_DIAGNOSTIC = ExplicitChoice(
    {
        0xA1: (AcseServiceUserDiagnostic, Explicit(_INTEGER, Integer(AcseServiceUserDiagnostic))),
        0xA2: (AcseServiceProviderDiagnostic, Explicit(_INTEGER, Integer(AcseServiceProviderDiagnostic))),
    }
)


class AcseApdu(Apdu):
    """An APDU of the association control service: BER behind an application tag."""

    __slots__ = ()
    user_information: Any


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def _acse(tag: int, label: str) -> Callable[[type[C]], type[C]]:
    """Declare an ACSE APDU: every field is ``Annotated[T, Tagged(tag, type)]`` and named when one is made."""

    def declare(cls: type[C]) -> type[C]:
        cls.prefix, cls.label = bytes((tag,)), label
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        hints = get_type_hints(made, include_extras=True)
        tagged = {each.name: _tagged(hints[each.name]) for each in fields(made)}  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a dataclass
        made.wire_codec = ber_codec(made, tagged)
        APDUS.add(made)
        return made

    return declare


def _tagged(hint: Any) -> Tagged:
    for mark in get_args(hint)[1:]:
        if isinstance(mark, Tagged):
            return mark
    raise TypeError(f"{hint} carries no tag")


@_acse(0x60, "aarq")
class Aarq(AcseApdu):
    """The client asks for an association. The authentication value never shows in a repr."""

    protocol_version: Annotated[bytes | None, Tagged(0x80, _BITS)] = None
    application_context_name: Annotated[ApplicationContext | None, Tagged(0xA1, _CONTEXT)] = None
    called_ap_title: Annotated[bytes | None, Tagged(0xA2, _OCTETS)] = None
    called_ae_qualifier: Annotated[bytes | None, Tagged(0xA3, _OCTETS)] = None
    called_ap_invocation_id: Annotated[int | None, Tagged(0xA4, _NUMBER)] = None
    called_ae_invocation_id: Annotated[int | None, Tagged(0xA5, _NUMBER)] = None
    calling_ap_title: Annotated[bytes | None, Tagged(0xA6, _OCTETS)] = None
    calling_ae_qualifier: Annotated[bytes | None, Tagged(0xA7, _OCTETS)] = None
    calling_ap_invocation_id: Annotated[int | None, Tagged(0xA8, _NUMBER)] = None
    calling_ae_invocation_id: Annotated[int | None, Tagged(0xA9, _NUMBER)] = None
    sender_acse_requirements: Annotated[bytes | None, Tagged(0x8A, _BITS)] = None
    mechanism_name: Annotated[AuthenticationMechanism | None, Tagged(0x8B, _MECHANISM)] = None
    calling_authentication_value: Annotated[bytes | None, Tagged(0xAC, _SECRET)] = field(
        default=None, repr=False
    )
    user_information: Annotated[bytes | None, Tagged(0xBE, _OCTETS)] = field(default=None, repr=False)


@_acse(0x61, "aare")
class Aare(AcseApdu):
    """The meter grants or refuses an association."""

    protocol_version: Annotated[bytes | None, Tagged(0x80, _BITS)] = None
    application_context_name: Annotated[ApplicationContext | None, Tagged(0xA1, _CONTEXT)] = None
    result: Annotated[
        AssociationResult | None, Tagged(0xA2, Explicit(_INTEGER, Integer(AssociationResult)))
    ] = None
    result_source_diagnostic: Annotated[AssociateSourceDiagnostic | None, Tagged(0xA3, _DIAGNOSTIC)] = None
    responding_ap_title: Annotated[bytes | None, Tagged(0xA4, _OCTETS)] = None
    responding_ae_qualifier: Annotated[bytes | None, Tagged(0xA5, _OCTETS)] = None
    responding_ap_invocation_id: Annotated[int | None, Tagged(0xA6, _NUMBER)] = None
    responding_ae_invocation_id: Annotated[int | None, Tagged(0xA7, _NUMBER)] = None
    responder_acse_requirements: Annotated[bytes | None, Tagged(0x88, _BITS)] = None
    mechanism_name: Annotated[AuthenticationMechanism | None, Tagged(0x89, _MECHANISM)] = None
    responding_authentication_value: Annotated[bytes | None, Tagged(0xAA, _SECRET)] = field(
        default=None, repr=False
    )
    user_information: Annotated[bytes | None, Tagged(0xBE, _OCTETS)] = field(default=None, repr=False)


@_acse(0x62, "rlrq")
class Rlrq(AcseApdu):
    """The client ends the association."""

    reason: Annotated[ReleaseRequestReason | None, Tagged(0x80, Integer(ReleaseRequestReason))] = None
    user_information: Annotated[bytes | None, Tagged(0xBE, _OCTETS)] = field(default=None, repr=False)


@_acse(0x63, "rlre")
class Rlre(AcseApdu):
    """The meter agrees that the association has ended."""

    reason: Annotated[ReleaseResponseReason | None, Tagged(0x80, Integer(ReleaseResponseReason))] = None
    user_information: Annotated[bytes | None, Tagged(0xBE, _OCTETS)] = field(default=None, repr=False)
