"""The straight functions give what the plain way gives: octets, values and errors, for every class that is declared."""

import inspect
import struct
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterwright.apdu import APDUS, Apdu
from meterwright.codec import (
    Boolean,
    Codec,
    Enumerated,
    FixedOctets,
    Mapped,
    OctetString,
    Sequence,
    Signed,
    Unsigned,
    sequence,
)
from meterwright.codec.codec import Composed
from meterwright.codec.engine import _plain
from meterwright.codec.straight import straight_reader, straight_writer
from meterwright.errors import LocalProtocolError, MeterwrightError
from meterwright.testing import apdus
from meterwright.values import ActionResult

CLASSES: list[type[Apdu]] = [kind for kind in APDUS if isinstance(kind.wire_codec.layout, Composed)]
FEWER = settings(max_examples=40)

each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


@sequence
class Inner(Sequence):
    """All that has a fixed size."""

    name: Annotated[bytes, FixedOctets(3)]
    flag: Annotated[bool, Boolean()]
    result: Annotated[ActionResult, Enumerated(ActionResult)]
    far: Annotated[int, Signed(8)]


@sequence
class Outer(Sequence):
    """Fixed, not fixed, fixed again."""

    octet: Annotated[int, Unsigned(1)]
    inner: Inner
    text: Annotated[bytes, OctetString()]
    doubled: Annotated[int, Mapped(Unsigned(2), lambda number: number * 2, lambda value: value // 2)]
    last: Inner


INNER = Inner(b"abc", True, ActionResult.OTHER_REASON, -1)
OUTER = Outer(7, INNER, b"text", 258, INNER)


def layout_of(kind: type[Sequence]) -> Composed:
    layout = kind.wire_codec.layout
    assert isinstance(layout, Composed)
    return layout


def plain_of(kind: type[Sequence]) -> Codec[Any]:
    return _plain(layout_of(kind))


def never(*_: object) -> Any:
    raise AssertionError("this can be done straight")


def outcome(work: Callable[..., object], *arguments: object) -> object:
    """What comes out of it: a value, or an error as it shows."""
    try:
        return work(*arguments)
    except MeterwrightError as error:
        return type(error), error.what, error.where
    except (IndexError, struct.error) as error:
        return type(error)


@each_class
def test_writing_and_reading_are_those_of_the_plain_way(kind: type[Apdu]) -> None:
    plain = plain_of(kind)
    write, decode = straight_writer(layout_of(kind), never), straight_reader(layout_of(kind), never)

    @FEWER
    @given(apdus(kind), st.binary(max_size=3), st.binary(max_size=3))
    def check(apdu: Apdu, before: bytes, after: bytes) -> None:
        content = write(apdu)
        assert content == plain.write(apdu)
        for octets in (before + content, before + content + after):
            assert outcome(decode, octets, len(before)) == outcome(plain.decode, octets, len(before))

    check()


@each_class
def test_what_cannot_be_read_is_told_alike(kind: type[Apdu]) -> None:
    plain, codec = plain_of(kind), kind.wire_codec

    @FEWER
    @given(apdus(kind), st.data())
    def check(apdu: Apdu, data: st.DataObject) -> None:
        octets = bytearray(plain.write(apdu))
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
        assert outcome(codec.decode, cut, 0) == outcome(plain.decode, cut, 0)

    check()


@each_class
def test_what_cannot_be_written_is_told_alike(kind: type[Apdu]) -> None:
    plain, codec = plain_of(kind), kind.wire_codec
    fields = list(layout_of(kind).fields)

    @FEWER
    @given(apdus(kind), st.data())
    def check(apdu: Apdu, data: st.DataObject) -> None:
        values = {name: getattr(apdu, name) for name in fields}
        for name in data.draw(st.sets(st.sampled_from(fields), max_size=2)) if fields else ():
            values[name] = data.draw(st.sampled_from((None, -1, 1 << 70, 1.5, "text", b"", b"x" * 300, ())))
        made = kind(**values)
        assert outcome(codec.write, made) == outcome(plain.write, made)

    check()


def test_fields_of_fixed_size_join_across_parts() -> None:
    octets = bytes.fromhex("07 616263 01 FA FFFFFFFFFFFFFFFF 04 74657874 0081 616263 01 FA FFFFFFFFFFFFFFFF")
    assert straight_writer(layout_of(Outer), never)(OUTER) == octets
    assert straight_reader(layout_of(Outer), never)(octets, 0) == (OUTER, len(octets))
    assert Outer.wire_codec.write(OUTER) == octets
    assert Outer.wire_codec.decode(octets, 0) == (OUTER, len(octets))


@pytest.mark.parametrize("name", [b"", b"ab", b"abcd", b"a" * 1000])
def test_octets_of_a_fixed_number_are_never_filled_up_or_cut(name: bytes) -> None:
    with pytest.raises(LocalProtocolError, match=f"{len(name)} octets where 3 belong"):
        Inner.wire_codec.write(Inner(name, True, ActionResult.SUCCESS, 0))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Outer(256, INNER, b"", 0, INNER), "256 does not fit one octet"),
        (Outer(1, INNER, b"", 1 << 20, INNER), r"Outer\.doubled cannot be encoded"),
        (
            Outer(1, INNER, b"", 0, Inner(b"abc", True, ActionResult.SUCCESS, 1 << 63)),
            r"Inner\.far cannot be encoded",
        ),
    ],
)
def test_the_field_that_does_not_fit_is_named(value: Outer, says: str) -> None:
    with pytest.raises(LocalProtocolError, match=says) as caught:
        Outer.wire_codec.write(value)
    assert not isinstance(caught.value.__context__, LocalProtocolError)  # nobody sees that it was tried twice


def test_every_cut_is_told_as_the_plain_way_tells_it() -> None:
    octets = Outer.wire_codec.write(OUTER)
    plain = plain_of(Outer)
    for length in range(len(octets)):
        told = outcome(Outer.wire_codec.decode, octets[:length], 0)
        assert told == outcome(plain.decode, octets[:length], 0)
        assert not isinstance(told, tuple) or issubclass(told[0], MeterwrightError)


class TestMaking:
    """Values are made as those of any dataclass."""

    def test_by_position_and_by_name(self) -> None:
        assert Inner(name=b"abc", flag=True, far=-1, result=ActionResult.OTHER_REASON) == INNER
        assert repr(INNER).startswith("Inner(name=b'abc', flag=True, result=")
        assert str(inspect.signature(Outer)).startswith("(octet: ")

    @pytest.mark.parametrize("arguments", [(), (b"abc", True), (b"abc", True, ActionResult.SUCCESS, 1, 2)])
    def test_with_all_fields_and_no_more(self, arguments: tuple[Any, ...]) -> None:
        with pytest.raises(TypeError, match="positional argument"):
            Inner(*arguments)
