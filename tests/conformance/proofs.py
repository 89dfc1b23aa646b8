"""The words of the conformance table: what can be shown, on whose side, over what, and protected how.

A test says what it shows by `proves`; `tools/conformance.py` collects that, and draws the table of the documentation from it. What
no test proves is a gap there.
"""

from collections.abc import Iterable
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

import pytest

MARKER: Final = "proves"


class Service(StrEnum):
    """A row: a service as the books name it, or what it grows into where it is long, selective or several at once."""

    ASSOCIATION = "association and release"
    PROTECTED_RELEASE = "protected release"
    PRE_ESTABLISHED = "pre-established association"
    GET = "GET"
    GET_LIST = "GET with list"
    GET_BLOCKS = "GET in blocks"
    GET_LIST_BLOCKS = "GET with list in blocks"
    GET_ALL = "GET of attribute 0"
    GET_RANGE = "GET by range"
    GET_ENTRIES = "GET by entry"
    GET_COLUMNS = "GET of columns"
    GET_OBJECTS = "GET of the object list by selector"
    SET = "SET"
    SET_LIST = "SET with list"
    SET_BLOCKS = "SET in blocks"
    SET_LIST_BLOCKS = "SET with list in blocks"
    SET_ALL = "SET of attribute 0"
    SET_UNCONFIRMED = "SET, unconfirmed"
    ACTION = "ACTION"
    ACTION_LIST = "ACTION with list"
    ACTION_BLOCKS = "ACTION, parameters in blocks"
    ACTION_ANSWER_BLOCKS = "ACTION, answer in blocks"
    ACTION_LIST_BLOCKS = "ACTION with list in blocks"
    ACTION_UNCONFIRMED = "ACTION, unconfirmed"
    ACCESS = "ACCESS"
    ACCESS_SELECTION = "ACCESS with selection"
    ACCESS_LONG = "ACCESS, long (block transfer)"
    EVENT_NOTIFICATION = "EventNotification"
    DATA_NOTIFICATION = "DataNotification"
    DATA_NOTIFICATION_CONFIRMED = "DataNotification, confirmed"
    DATA_NOTIFICATION_LONG = "DataNotification, long (block transfer)"
    INFORMATION_REPORT = "InformationReport"
    GBT_GET = "GET by general block transfer"
    GBT_SET = "SET by general block transfer"
    GBT_ACTION = "ACTION by general block transfer"
    READ = "Read"
    READ_LIST = "Read of several"
    READ_PARAMETERISED = "Read, parameterised"
    READ_BLOCKS = "Read in blocks"
    WRITE = "Write"
    WRITE_LIST = "Write of several"
    WRITE_BLOCKS = "Write in blocks"
    WRITE_UNCONFIRMED = "UnconfirmedWrite"
    METHOD_READ = "method by Read"
    METHOD_WRITE = "method by Write"
    KEY_TRANSFER = "key transfer"
    KEY_AGREEMENT = "key agreement"
    CERTIFICATES = "certificates of the security setup"
    SECRET_CHANGE = "change of the HLS secret"
    UPDATE = "firmware update"


class Side(StrEnum):
    """Whose part a test shows to be right."""

    CLIENT = "client"
    METER = "meter"
    PEER = "meter, asked by gurux-dlms"


class Link(StrEnum):
    """What carries the APDUs."""

    WRAPPER = "wrapper"
    HDLC = "HDLC"


class Security(StrEnum):
    """A column: who proves to be who, or how each APDU is protected. Where no mechanism is named, it is GMAC."""

    NONE = "none"
    LOW = "low"
    HIGH = "high (2)"
    HIGH_MD5 = "MD5 (3)"
    HIGH_SHA1 = "SHA-1 (4)"
    HIGH_GMAC = "GMAC (5)"
    HIGH_SHA256 = "SHA-256 (6)"
    HIGH_ECDSA = "ECDSA (7)"
    AUTHENTICATED = "authenticated"
    ENCRYPTED = "encrypted"
    BOTH = "authenticated-encrypted"
    DEDICATED = "dedicated key"
    GENERAL_GLO = "general-glo"
    GENERAL_DED = "general-ded"
    SUITE_1 = "suite 1"
    SUITE_2 = "suite 2"
    IDENTIFIED = "general-ciphering, identified key"
    WRAPPED = "general-ciphering, wrapped key"
    AGREED_1E1S = "general-ciphering, 1e1s"
    AGREED_0E2S = "general-ciphering, 0e2s"
    SIGNED = "ciphered, then signed"
    SIGNED_CIPHERED = "signed, then ciphered"


class Proof(NamedTuple):
    """One cell of the table."""

    service: Service
    side: Side
    link: Link
    security: Security


BOTH_SIDES: Final = (Side.CLIENT, Side.METER)


def proves(
    service: Service,
    link: Link,
    security: Security = Security.NONE,
    *,
    sides: Iterable[Side] = BOTH_SIDES,
) -> pytest.MarkDecorator:
    """Marks a test, or one row of its parameters, as the proof of these cells."""
    proofs = tuple(Proof(*each) for each in product((service,), sides, (link,), (security,)))
    return pytest.mark.proves(*proofs)
