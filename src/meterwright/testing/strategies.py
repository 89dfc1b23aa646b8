"""Hypothesis strategies for what goes over the wire, derived from the declarations: nothing is listed twice.

`apdus` makes values of every APDU class in the registry, the moment it is declared; `data_trees` makes any Data,
`compact_arrays` those alone, and `data_of` the Data that one declared type stands for. Needs hypothesis (the extra
``testing``).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_origin, get_type_hints, overload

from meterwright.apdu import APDUS, ActionResponseNormal, Apdu, Unreadable
from meterwright.apdu.acse import AcseApdu
from meterwright.apdu.fields import GET_DATA_RESULT
from meterwright.apdu.gateway import CarriedApdu
from meterwright.codec import (
    Boolean,
    Choice,
    Content,
    Declared,
    Default,
    Explicit,
    ExplicitChoice,
    FixedOctets,
    Integer,
    Mapped,
    ObjectIdentifier,
    OctetString,
    Optional,
    Sequence,
    SequenceOf,
    Signed,
    Tagged,
    Unsigned,
    WireType,
    declared_fields,
)
from meterwright.codec.ber import BerType
from meterwright.data import CompactArray, Data, DataField, DataTag, DataType, TypeDescription
from meterwright.errors import LocalProtocolError, RemoteProtocolError, UsageError
from meterwright.values import BitString, Conformance, CosemDate, CosemDateTime, CosemTime, DataAccessResult

__all__ = ["HypothesisMissing", "apdus", "compact_arrays", "data_of", "data_trees"]


class HypothesisMissing(UsageError, ImportError):
    """hypothesis is not installed, and only its strategies need it."""


try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ModuleNotFoundError as missing:
    raise HypothesisMissing(
        "meterwright.testing.strategies needs hypothesis",
        layer="testing",
        hint="install it beside: pip install 'meterwright[testing]'",
    ) from missing

A = TypeVar("A", bound=Apdu)
Strategy: TypeAlias = SearchStrategy[Any]

_LONGEST_STRING: Final = 300
"""Octets: two forms of length (short, 81) and three (82) are all reached."""
_MOST_ITEMS: Final = 5
_MOST_LEAVES: Final = 12
_MOST_TIMES: Final = 3
"""How often an item stands in an array of fixed size: such arrays nest, and multiply."""


@overload
def apdus() -> SearchStrategy[Apdu]: ...
@overload
def apdus(kind: type[A]) -> SearchStrategy[A]: ...
def apdus(kind: type[Apdu] | None = None) -> SearchStrategy[Any]:
    """Values of one APDU class, or of any there is. Each can be sent, and comes back as it was."""
    if kind is None:
        return st.one_of([_instances(each) for each in APDUS])
    return _instances(kind)


def data_trees() -> SearchStrategy[Data]:
    """Any Data: every tag, nested. Floats are numbers, so that equal trees compare equal."""
    return _TREES


def compact_arrays() -> SearchStrategy[Data]:
    """Any compact array, as they stand among `data_trees`."""
    return _COMPACT_ARRAYS


def data_of(data_type: DataType[Any]) -> SearchStrategy[Data]:
    """The Data that stands for values of one declared type, as it is sent."""
    tag = data_type.tag
    if tag is None:
        return data_trees()
    if tag is DataTag.STRUCTURE:
        content: Strategy = st.tuples(*(data_of(part) for part in data_type.parts))
    elif tag is DataTag.ARRAY:
        content = _many(data_of(data_type.parts[0]))
    elif tag is DataTag.COMPACT_ARRAY:
        return _many(data_of(data_type.parts[0])).filter(_is_even).map(partial(_compacted, data_type))
    elif tag is DataTag.OCTET_STRING:
        content = _octets(data_type.size)
    else:
        content = _LEAVES[tag]
    return content.map(lambda value: Data(tag, value)).filter(lambda data: _is_of(data_type, data))


def _is_of(data_type: DataType[Any], data: Data) -> bool:
    """Whether the type takes it: a block size, say, is a number but not 0."""
    try:
        data_type.from_data(data)
    except RemoteProtocolError:
        return False
    return True


def _is_even(items: tuple[Data, ...]) -> bool:
    """Whether the items can stand in one compact array: all have the same type, and octets."""
    try:
        CompactArray(items).to_contents()
    except LocalProtocolError:
        return False
    return True


def _compacted(data_type: DataType[Any], items: tuple[Data, ...]) -> Data:
    """The items as the type sends them: it knows what describes none."""
    return data_type(data_type.from_data(Data(DataTag.ARRAY, items)))


def _octets(size: int | None = None) -> SearchStrategy[bytes]:
    if size is None:
        return st.one_of(st.binary(max_size=16), st.binary(max_size=_LONGEST_STRING))
    return st.binary(min_size=size, max_size=size)


def _many(items: Strategy) -> SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=_MOST_ITEMS).map(tuple)


def _unsigned(octets: int) -> SearchStrategy[int]:
    return st.integers(0, (1 << 8 * octets) - 1)


def _signed(octets: int) -> SearchStrategy[int]:
    half = 1 << 8 * octets - 1
    return st.integers(-half, half - 1)


def _bit_string(octets: bytes, unused: int) -> BitString:
    return BitString(octets, max(0, 8 * len(octets) - unused))


def _is_utf8(text: str) -> bool:
    """Whether the text can stand on the wire and come back: a lone surrogate that stands for no octet cannot."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text
    except UnicodeEncodeError:
        return False


_LEAVES: Final[Mapping[DataTag, Strategy]] = {
    DataTag.NULL_DATA: st.none(),
    DataTag.BOOLEAN: st.booleans(),
    DataTag.BIT_STRING: st.builds(_bit_string, _octets(), st.integers(0, 7)),
    DataTag.DOUBLE_LONG: _signed(4),
    DataTag.DOUBLE_LONG_UNSIGNED: _unsigned(4),
    DataTag.OCTET_STRING: _octets(),
    DataTag.VISIBLE_STRING: _octets().map(lambda octets: octets.decode("latin-1")),
    DataTag.UTF8_STRING: st.one_of(
        st.text(max_size=_LONGEST_STRING),
        _octets().map(lambda octets: octets.decode("utf-8", "surrogateescape")),
    ).filter(_is_utf8),
    DataTag.BCD: _unsigned(1),
    DataTag.INTEGER: _signed(1),
    DataTag.LONG: _signed(2),
    DataTag.UNSIGNED: _unsigned(1),
    DataTag.LONG_UNSIGNED: _unsigned(2),
    DataTag.LONG64: _signed(8),
    DataTag.LONG64_UNSIGNED: _unsigned(8),
    DataTag.ENUM: _unsigned(1),
    DataTag.FLOAT32: st.floats(width=32, allow_nan=False),
    DataTag.FLOAT64: st.floats(allow_nan=False),
    DataTag.DATE_TIME: _octets(12).map(CosemDateTime.from_octets),
    DataTag.DATE: _octets(5).map(CosemDate.from_octets),
    DataTag.TIME: _octets(4).map(CosemTime.from_octets),
    DataTag.DELTA_INTEGER: _signed(1),
    DataTag.DELTA_LONG: _signed(2),
    DataTag.DELTA_DOUBLE_LONG: _signed(4),
    DataTag.DELTA_UNSIGNED: _unsigned(1),
    DataTag.DELTA_LONG_UNSIGNED: _unsigned(2),
    DataTag.DELTA_DOUBLE_LONG_UNSIGNED: _unsigned(4),
    DataTag.DONT_CARE: st.none(),
}


def _leaf(tag: DataTag) -> SearchStrategy[Data]:
    return _LEAVES[tag].map(lambda value: Data(tag, value))


def _branches(inner: SearchStrategy[Data]) -> SearchStrategy[Data]:
    return st.builds(Data, st.sampled_from((DataTag.ARRAY, DataTag.STRUCTURE)), _many(inner))


def _described_branches(inner: SearchStrategy[TypeDescription]) -> SearchStrategy[TypeDescription]:
    return st.one_of(
        st.builds(TypeDescription, st.just(DataTag.STRUCTURE), _many(inner)),
        st.builds(TypeDescription, st.just(DataTag.ARRAY), st.tuples(inner), st.integers(0, _MOST_TIMES)),
    )


def _described(description: TypeDescription) -> SearchStrategy[Data]:
    """The elements that are of this type."""
    tag = description.tag
    if tag in _LEAVES:
        return _leaf(tag)
    parts = description.parts * description.times
    return st.tuples(*(_described(part) for part in parts)).map(lambda elements: Data(tag, elements))


def _compact_arrays_of(description: TypeDescription) -> SearchStrategy[Data]:
    most = min(_MOST_ITEMS, description.most)
    return st.lists(_described(description), max_size=most).map(
        lambda elements: Data(DataTag.COMPACT_ARRAY, CompactArray(elements, description))
    )


_DESCRIPTIONS: Final[SearchStrategy[TypeDescription]] = st.recursive(
    st.sampled_from([TypeDescription(tag) for tag in _LEAVES]), _described_branches, max_leaves=_MOST_ITEMS
)
_COMPACT_ARRAYS: Final[SearchStrategy[Data]] = _DESCRIPTIONS.flatmap(_compact_arrays_of)
_TREES: Final[SearchStrategy[Data]] = st.recursive(
    st.one_of([*(_leaf(tag) for tag in _LEAVES), _COMPACT_ARRAYS]),
    _branches,
    max_leaves=_MOST_LEAVES,
)


def _instances(kind: type[Sequence]) -> Strategy:
    """Values of a declared class: an APDU, or a part of one."""
    hints = get_type_hints(kind, include_extras=True)
    if issubclass(kind, AcseApdu):
        tagged = {name: _tags(hint) for name, hint in hints.items() if _tags(hint)}
        return st.builds(kind, **{name: _of_tagged(tags) for name, tags in tagged.items()})
    return st.builds(kind, **{name: _of_hint(hints[name]) for name in declared_fields(kind)})


def _tags(hint: Any) -> list[Tagged]:
    return [mark for mark in get_args(hint)[1:] if isinstance(mark, Tagged)]


def _of_tagged(tags: list[Tagged]) -> Strategy:
    """A field of an ACSE APDU: present or not."""
    return st.one_of(st.none(), *(_of_ber(tag.type) for tag in tags))


def _of_ber(kind: BerType) -> Strategy:
    match kind:
        case Content():
            return _octets().map(kind.of)
        case Integer() | ObjectIdentifier():
            return _unsigned(1).map(kind.enum)
        case Explicit():
            return _of_ber(kind.inner)
        case ExplicitChoice():
            return st.one_of([_of_ber(arm) for _, arm in kind.arms.values()])
        case _:
            raise _unknown(kind)


def _of_hint(hint: Any) -> Strategy:
    """A field of an A-XDR APDU, by the same four shapes of annotation that the engine understands."""
    if get_origin(hint) is Annotated:
        meant, *marks = get_args(hint)
        return _BY_HAND[meant] if meant in _BY_HAND else _of_wire(marks[0])
    if get_origin(hint) is tuple:
        return _many(_of_hint(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, Sequence):
        return _instances(hint)
    return st.one_of([st.none() if arm is type(None) else _of_hint(arm) for arm in get_args(hint)])


def _of_wire(wire: WireType) -> Strategy:
    try:
        return _BY_WIRE_TYPE[type(wire)](wire)
    except KeyError:
        raise _unknown(wire) from None


_BY_WIRE_TYPE: Final[Mapping[type, Callable[[Any], Strategy]]] = {
    Unsigned: lambda wire: _unsigned(wire.octets),
    Signed: lambda wire: _signed(wire.octets),
    Boolean: lambda _: st.booleans(),
    OctetString: lambda _: _octets(),
    FixedOctets: lambda wire: _octets(wire.size),
    Mapped: lambda wire: _of_wire(wire.wire).map(wire.read),
    Optional: lambda wire: st.none() | _of_wire(wire.wire),
    Default: lambda wire: _of_wire(wire.wire),
    SequenceOf: lambda wire: _many(_of_wire(wire.wire)),
    Choice: lambda wire: st.one_of([_of_wire(arm.wire) for arm in wire.alternatives]),
    Declared: lambda wire: _instances(wire.cls),
    DataField: lambda _: data_trees(),
    CarriedApdu: lambda _: _octets(),
}


def _unknown(declared: object) -> LocalProtocolError:
    return LocalProtocolError(
        f"no strategy for {declared!r}",
        layer="testing",
        hint="wire types written by hand are listed in _BY_HAND",
    )


def _unreadable() -> Strategy:
    """Return parameters as they must not be, read by the one who knows where they break."""
    head = ActionResponseNormal.prefix + b"\xc1\x01"

    def read(octets: bytes) -> Unreadable | None:
        apdu = APDUS.decode(head + octets)
        returned = apdu.return_parameters if isinstance(apdu, ActionResponseNormal) else None
        return returned if isinstance(returned, Unreadable) else None

    return _octets().map(read).filter(lambda returned: returned is not None)


_BY_HAND: Final[Mapping[object, Strategy]] = {
    Conformance: _unsigned(3).map(Conformance),
    CosemDateTime | None: st.none() | _LEAVES[DataTag.DATE_TIME],
    int | None: st.none() | _unsigned(4),
    Data | DataAccessResult | Unreadable | None: st.one_of(
        st.none(), _of_wire(GET_DATA_RESULT), _unreadable()
    ),
}
"""Wire types written by hand, by the Python type they stand for."""
