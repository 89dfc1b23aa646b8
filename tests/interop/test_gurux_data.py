"""Compact arrays that we make mean the same to another maker's library, in a process of its own, as far as it reads them.

What gurux-dlms 1.0.203 can't read or reads otherwise than the books have it, so that nothing of it is compared here: a type
description that is an array; an array in a structure comes with a list more around each element; null-data in a structure
takes an octet of the contents, so that rows get lost; utf8-string, delta types and dont-care are errors.
"""

import pytest
from tests.data.test_compact import structure
from tests.interop import peer

from meterwright.data import (
    CompactArray,
    Data,
    DataTag,
    TypeDescription,
    bit_string,
    boolean,
    double_long,
    double_long_unsigned,
    enum,
    float32,
    float64,
    integer,
    long,
    long64,
    long64_unsigned,
    long_unsigned,
    octet_string,
    unsigned,
    visible_string,
)
from meterwright.values import BitString

pytestmark = pytest.mark.interop

ROWS: dict[str, list[Data]] = {
    "numbers": [integer(-1), integer(127)],
    "rows of numbers": [
        structure(
            unsigned(number), long(-number), long_unsigned(number), double_long(-number), double_long_unsigned(number),
            long64(-number), long64_unsigned(number), enum(number), boolean(number > 1),
        )
        for number in (1, 2, 3)
    ],
    "floats": [structure(float32(1.5), float64(-0.1)), structure(float32(0.0), float64(1e300))],
    "strings": [structure(octet_string(b"AB"), visible_string("text")), structure(octet_string(b""), visible_string("x"))],
    "long strings": [octet_string(bytes(200)), octet_string(bytes(300))],
    "bit strings": [bit_string(BitString.from_text("101")), bit_string(BitString.from_text("1" * 20))],
    "structures in structures": [
        structure(unsigned(1), structure(long_unsigned(2), structure(octet_string(b"C")))),
        structure(unsigned(4), structure(long_unsigned(5), structure(octet_string(b"FGH")))),
    ],
    "two hundred columns": [structure(*map(unsigned, range(200))) for _ in range(3)],
    "a thousand rows": [structure(long_unsigned(number), double_long_unsigned(7 * number)) for number in range(1000)],
}  # fmt: skip


def as_the_peer_says_it(data: Data) -> object:
    """Our tree in the peer's words."""
    value = data.value
    if isinstance(value, tuple):
        return [as_the_peer_says_it(each) for each in value]
    if isinstance(value, bytes):
        return f"hex:{value.hex()}"
    return value.to_text() if isinstance(value, BitString) else value


def test_the_peer_reads_the_same_values() -> None:
    arrays = {name: Data(DataTag.COMPACT_ARRAY, CompactArray(rows)) for name, rows in ROWS.items()}
    arrays["none"] = Data(DataTag.COMPACT_ARRAY, CompactArray((), TypeDescription(DataTag.UNSIGNED)))
    arrays["inside"] = structure(arrays["numbers"], unsigned(5))
    read = peer.decode([data.to_octets() for data in arrays.values()])
    assert dict(zip(arrays, read, strict=True)) == {
        name: as_the_peer_says_it(data) for name, data in arrays.items()
    }
