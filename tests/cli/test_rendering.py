"""How values look, for people and for programs."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.cli.rendering import as_json, as_raw, as_text
from meterwright.cosem import ImageToActivateInfo
from meterwright.data import CompactArray, Data, DataTag, long_unsigned, octet_string
from meterwright.testing.strategies import data_trees
from meterwright.values import BitString, ClockStatus, ImageTransferStatus, Obis, Quantity, ScalerUnit, Unit


@pytest.mark.parametrize(
    ("value", "text", "in_json"),
    [
        (None, "–", None),
        (True, "yes", True),
        (42, "42", 42),
        (float("inf"), "inf", "inf"),
        (ImageTransferStatus.NOT_INITIATED, "not-initiated (0)", "not-initiated"),
        (ImageTransferStatus(99), "unknown-99 (99)", "unknown-99"),
        (ClockStatus(0), "none", []),
        (b"NEW-2.0", "NEW-2.0", "NEW-2.0"),
        (b"\x00\x01", "hex:0001", "hex:0001"),
        (b"", "hex:", "hex:"),
        ("a\x1b[31mb", "a\\x1b[31mb", "a\x1b[31mb"),
        (BitString.from_text("0101"), "0101", "0101"),
        (Obis.parse("1.0.1.8.0.255"), "1.0.1.8.0.255", "1.0.1.8.0.255"),
        (Quantity.scaled(12345, ScalerUnit(-1, Unit.WATT_HOUR)), "1234.5 Wh", 1234.5),
        (Quantity(Decimal(12), Unit.VOLT), "12 V", 12),
        ((1, b"\x02"), "[1, hex:02]", [1, "hex:02"]),
        (Data(DataTag.STRUCTURE, (long_unsigned(3), octet_string(b"x"))), "{3, x}", [3, "x"]),
        (
            Data(DataTag.COMPACT_ARRAY, CompactArray((long_unsigned(3), long_unsigned(4)))),
            "[3, 4]",
            [3, 4],
        ),
        (
            (ImageToActivateInfo(3, b"A", b"\xff"),),
            "[image_to_activate_size 3, image_to_activate_identification A, image_to_activate_signature hex:ff]",
            [
                {
                    "image_to_activate_size": 3,
                    "image_to_activate_identification": "A",
                    "image_to_activate_signature": "hex:ff",
                }
            ],
        ),
    ],
)
def test_a_value_looks_like_this(value: object, text: str, in_json: object) -> None:
    assert as_text(value) == text
    assert as_json(value) == in_json


def test_a_long_bit_string_is_counted() -> None:
    assert as_text(BitString.from_text("1" * 60 + "0" * 10)) == "70 bits, 60 of them 1"


def test_raw_octets_are_hex() -> None:
    assert as_raw(Data(DataTag.ARRAY, (octet_string(b"AB"), long_unsigned(7)))) == ["4142", 7]


@given(data_trees())
def test_whatever_a_meter_sends_can_be_shown(data: Data) -> None:
    assert as_text(data).isprintable()
    for shown in (as_json(data), as_raw(data)):
        json.dumps(shown, allow_nan=False).encode("ascii")


@given(st.text())
def test_text_of_a_meter_cannot_steer_the_terminal(text: str) -> None:
    assert "\x1b" not in as_text(text)
