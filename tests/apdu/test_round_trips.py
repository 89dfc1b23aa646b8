"""What is sent comes back: for every APDU class there is, derived from its declaration."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterwright.apdu import APDUS, Aarq, Apdu, decode_apdu
from meterwright.codec import Span
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import apdus

CLASSES: list[type[Apdu]] = list(APDUS)
FEWER = settings(max_examples=50)
"""There are 40 classes; each has its own examples."""

each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


@each_class
def test_what_is_sent_comes_back(kind: type[Apdu]) -> None:
    @FEWER
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        octets = apdu.to_octets()
        assert decode_apdu(octets) == apdu
        assert decode_apdu(octets).to_octets() == octets

    check()


@each_class
def test_a_trace_means_the_same_and_lies_inside(kind: type[Apdu]) -> None:
    @FEWER
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        octets = apdu.to_octets()
        span, error = APDUS.trace(octets)
        assert error is None
        assert (span.value, span.start, span.end) == (apdu, 0, len(octets))
        assert_inside(span, len(octets))

    check()


@each_class
def test_every_truncation_is_refused_or_read_and_nothing_else(kind: type[Apdu]) -> None:
    """Cut at every offset: a RemoteProtocolError whose offset lies in what is left, or (optional ends) an APDU."""

    @settings(max_examples=25)
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        octets = apdu.to_octets()
        for length in range(len(octets)):
            assert_refused_or_read(octets[:length])

    check()


@each_class
def test_octets_too_many_are_refused_or_read(kind: type[Apdu]) -> None:
    @FEWER
    @given(apdus(kind), st.binary(min_size=1, max_size=4))
    def check(apdu: Apdu, more: bytes) -> None:
        assert_refused_or_read(apdu.to_octets() + more)

    check()


@each_class
def test_one_wrong_octet_is_refused_or_read(kind: type[Apdu]) -> None:
    @FEWER
    @given(apdus(kind), st.data())
    def check(apdu: Apdu, data: st.DataObject) -> None:
        octets = bytearray(apdu.to_octets())
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        assert_refused_or_read(bytes(octets))

    check()


def assert_refused_or_read(octets: bytes) -> None:
    """Nothing but our error, at a place that exists; and a trace agrees as far as it came."""
    span, traced = APDUS.trace(octets)
    assert_inside(span, len(octets))
    apdu, refused = decoded(octets)
    if refused is None:
        assert traced is None
        assert span.value == apdu or apdu != apdu  # noqa: PLR0124 - not-a-number is unlike itself
        assert type(apdu) in CLASSES
        return
    offset = refused.where.offset
    assert offset is not None
    assert 0 <= offset <= len(octets)
    if traced is None:  # then it was only longer than the APDU in it
        assert span.end == offset
    else:
        assert (traced.where.offset, traced.what) == (offset, refused.what)


def decoded(octets: bytes) -> tuple[Apdu | None, RemoteProtocolError | None]:
    """The APDU, or why it is none."""
    try:
        return decode_apdu(octets), None
    except RemoteProtocolError as error:
        return None, error


def assert_inside(span: Span, length: int) -> None:
    """Every part begins and ends inside the octets, and inside the whole it is a part of."""
    assert 0 <= span.start <= length
    assert span.end is None or span.start <= span.end <= length
    for child in span.children:
        assert child.start >= span.start
        assert span.end is None or (child.end is not None and child.end <= span.end)
        assert_inside(child, length)


@each_class
def test_values_do_not_change(kind: type[Apdu]) -> None:
    """Frozen, hashable, without room for anything undeclared."""

    @settings(max_examples=5)
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        for name in names_of(kind):
            with pytest.raises(AttributeError):
                setattr(apdu, name, None)
        assert isinstance(hash(apdu), int)
        assert not hasattr(apdu, "__dict__")

    check()


@each_class
def test_a_value_that_fits_nowhere_is_our_own_fault(kind: type[Apdu]) -> None:
    """Every field but the booleans, filled with something senseless: a LocalProtocolError, whatever the field."""

    @settings(max_examples=5)
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        for name in names_of(kind):
            if not isinstance(getattr(apdu, name), bool):
                with pytest.raises(LocalProtocolError):
                    replaced(apdu, name, object()).to_octets()

    check()


@pytest.mark.parametrize("number", [-1, 256, 5.5, "5"])
def test_numbers_of_acse_are_one_octet(number: Any) -> None:
    with pytest.raises(LocalProtocolError, match="calling_ae_invocation_id"):
        Aarq(calling_ae_invocation_id=number).to_octets()


@pytest.mark.parametrize("octets", [5, "text", [1, 2]])
def test_octets_of_acse_are_octets(octets: Any) -> None:
    with pytest.raises(LocalProtocolError, match="calling_ap_title"):
        Aarq(calling_ap_title=octets).to_octets()


def names_of(kind: type[Apdu]) -> list[str]:
    """Its fields, those of its bases too."""
    return [name for base in reversed(kind.__mro__) for name in getattr(base, "__slots__", ())]


def replaced(apdu: Apdu, name: str, value: Any) -> Apdu:
    """The same APDU with one field changed, past the type checker."""
    made: Apdu = object.__new__(type(apdu))
    for each in names_of(type(apdu)):
        object.__setattr__(made, each, value if each == name else getattr(apdu, each))
    return made
