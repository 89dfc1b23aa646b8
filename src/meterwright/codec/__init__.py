"""How octets are declared: A-XDR wire types, the ``@apdu`` engine, BER for ACSE. Knows no APDU by itself."""

from meterwright.codec.ber import (
    Content,
    Explicit,
    ExplicitChoice,
    Integer,
    ObjectIdentifier,
    Tagged,
    ber_codec,
)
from meterwright.codec.codec import Codec, Span, WireType
from meterwright.codec.engine import Apdu, ApduRegistry, Declared, Sequence, apdu, declared_fields, sequence
from meterwright.codec.length import decode_length, encode_length, length_octets, truncated
from meterwright.codec.wire import (
    Alternative,
    Boolean,
    Choice,
    Default,
    Enumerated,
    FixedOctets,
    Mapped,
    OctetString,
    Optional,
    SequenceOf,
    Signed,
    Unsigned,
)

__all__ = [
    "Alternative",
    "Apdu",
    "ApduRegistry",
    "Boolean",
    "Choice",
    "Codec",
    "Content",
    "Declared",
    "Default",
    "Enumerated",
    "Explicit",
    "ExplicitChoice",
    "FixedOctets",
    "Integer",
    "Mapped",
    "ObjectIdentifier",
    "OctetString",
    "Optional",
    "Sequence",
    "SequenceOf",
    "Signed",
    "Span",
    "Tagged",
    "Unsigned",
    "WireType",
    "apdu",
    "ber_codec",
    "declared_fields",
    "decode_length",
    "encode_length",
    "length_octets",
    "sequence",
    "truncated",
]
