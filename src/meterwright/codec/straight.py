"""One straight function for each declaration, where the plain way takes one call a field.

`engine` composes a declaration field by field, and can name the field that does not fit. This module writes the same as two
Python functions, as `dataclasses` writes ``__init__``: fields of fixed size that stand side by side become one `struct`,
the fields of a part are taken where they stand, and what has no fixed size is left to its own codec. Of ActionRequestNormal
and ActionResponseNormal it makes, with speaking names put in::

    def write(value):                                        def decode(octets, position):
        try:                                                     try:
            method = value.method                                    made = new(ActionResponseNormal)
            name = octets_of(method.instance_id)                     invoke, result = unpack(octets, position)
            if len(name) == 6:                                       set_invoke(made, from_octet(invoke))
                return pack(                                         set_result(made, members(result))
                    to_octet(value.invoke_id_and_priority),          returned, end = read_returned(octets, position + 2)
                    method.class_id, name, method.method_id          set_returned(made, returned)
                ) + write_optional(value.parameters)                 return made, end
        except misfits: pass                                     except too_short: pass
        return plain(value)                                      return plain(octets, position)

The plain way stays the judge: what the straight one cannot do it hands over, and either comes out right or is told with the
field's name. Only names that Python itself has accepted for fields and numbers of this module's own go into the source.
"""

import struct
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Final

from meterwright.codec.codec import Codec, Composed, Converted, Packed
from meterwright.errors import LocalProtocolError

__all__ = ["MISFITS", "straight_maker", "straight_reader", "straight_writer"]

MISFITS: Final = (struct.error, OverflowError, TypeError, AttributeError, ValueError)
"""What comes out of writing a value that is not of its field's kind."""

_WRITER: Final = """
def write(value):
    try:
        {lines}
        if {checks}:
            return {result}
    except misfits:
        pass
    return plain(value)
"""
_MAKER: Final = """
def __init__({parameters}):
    {lines}
"""
_READER: Final = """
def decode(octets, position):
    try:
        {lines}
        return {result}
    except too_short:
        pass
    return plain(octets, position)
"""


def straight_writer(composed: Composed, plain: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """What gives the same octets as `plain`, and leaves to it what it cannot do."""
    writer = _Writer()
    writer.fields(composed, "value")
    source = _WRITER.format(
        lines=writer.body(), checks=" and ".join(writer.checks) or True, result=writer.result()
    )
    return writer.function(source, "write", plain=plain, misfits=(*MISFITS, LocalProtocolError))


def straight_reader(
    composed: Composed, plain: Callable[[bytes, int], tuple[Any, int]]
) -> Callable[[bytes, int], tuple[Any, int]]:
    """What gives the same value as `plain`, and leaves to it octets that end too early."""
    reader = _Reader()
    made = reader.made(composed)
    reader.unpack()
    source = _READER.format(lines=reader.body(), result=f"{made}, {reader.here()}")
    return reader.function(source, "decode", plain=plain, too_short=struct.error, new=object.__new__)


def straight_maker(cls: type, types: Mapping[str, object]) -> Callable[..., None]:
    """An ``__init__`` that takes these fields and sets their slots: that of a frozen dataclass has a longer way to go."""
    maker = _Source()
    maker.lines = [f"{maker.thing(getattr(cls, name).__set__)}(_self, {name})" for name in types] or ["pass"]
    source = _MAKER.format(parameters=", ".join(("_self", *types)), lines="\n    ".join(maker.lines))
    made = maker.function(source, "__init__")
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {**types, "return": None}
    return made


class _Source:
    """The lines of a function, and what they refer to: `v1` are its variables, `_g1` things of ours."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._things: dict[str, object] = {}
        self._variables = 0

    def variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def thing(self, thing: object) -> str:
        name = f"_g{len(self._things)}"
        self._things[name] = thing
        return name

    def body(self) -> str:
        return "\n        ".join(self.lines)

    def function(self, source: str, name: str, **things: object) -> FunctionType:
        namespace: dict[str, Any] = {**self._things, **things}
        exec(source, namespace)  # noqa: S102 - our own text: see the module's docstring
        function: FunctionType = namespace[name]
        return function


class _Writer(_Source):
    """Gathers fields of fixed size until one comes that has none."""

    def __init__(self) -> None:
        super().__init__()
        self.checks: list[str] = []
        self._run: list[tuple[Packed, str]] = []
        self._pieces: list[str] = []

    def fields(self, composed: Composed, owner: str) -> None:
        for name, codec in composed.fields.items():
            self._field(codec, f"{owner}.{name}")

    def result(self) -> str:
        self._pack()
        return " + ".join(self._pieces) or "b''"

    def _field(self, codec: Codec[Any], value: str) -> None:
        match codec.layout:
            case Packed() as packed:
                self._run.append((packed, self._checked(packed, value)))
            case Converted(inner, _, write):
                self._field(inner, f"{self.thing(write)}({value})")
            case Composed() as composed:
                self.fields(composed, self._kept(value))
            case None:
                self._pack()
                self._pieces.append(f"{self.thing(codec.write)}({value})")

    def _checked(self, packed: Packed, value: str) -> str:
        """`struct` fills up octets that are too few, and cuts what is too much: their number is looked at before."""
        if not packed.format.endswith("s"):
            return value
        kept = self._kept(value)
        self.checks.append(f"len({kept}) == {packed.size}")
        return kept

    def _kept(self, value: str) -> str:
        variable = self.variable()
        self.lines.append(f"{variable} = {value}")
        return variable

    def _pack(self) -> None:
        if self._run:
            pack = struct.Struct(">" + "".join(packed.format for packed, _ in self._run)).pack
            self._pieces.append(f"{self.thing(pack)}({', '.join(value for _, value in self._run)})")
            self._run.clear()


class _Reader(_Source):
    """Makes objects empty, and fills their slots as soon as what belongs there has been read."""

    def __init__(self) -> None:
        super().__init__()
        self._run: list[tuple[Packed, str]] = []
        self._fillings: list[str] = []
        self._start, self._offset = "position", 0

    def here(self) -> str:
        """Where what was read so far ends."""
        return f"{self._start} + {self._offset}" if self._offset else self._start

    def made(self, composed: Composed) -> str:
        """An object that is still empty."""
        made = self.variable()
        self.lines.append(f"{made} = new({self.thing(composed.cls)})")
        for name, codec in composed.fields.items():
            fill = self.thing(getattr(composed.cls, name).__set__)
            self._fillings.append(f"{fill}({made}, {self.value(codec)})")
        return made

    def value(self, codec: Codec[Any]) -> str:
        """What the value will be called when the next run has been unpacked."""
        match codec.layout:
            case Packed() as packed:
                self._run.append((packed, self.variable()))
                return self._run[-1][1]
            case Converted(inner, read, _):
                return f"{self.thing(read)}({self.value(inner)})"
            case Composed() as composed:
                return self.made(composed)
            case None:
                return self._decoded(codec)

    def unpack(self) -> None:
        """Read the run of fields that stand side by side, and fill the slots that waited for it."""
        if self._run:
            unpack = struct.Struct(">" + "".join(packed.format for packed, _ in self._run)).unpack_from
            names = ", ".join(variable for _, variable in self._run)
            self.lines.append(f"{names}, = {self.thing(unpack)}(octets, {self.here()})")
            self._offset += sum(packed.size for packed, _ in self._run)
            self._run.clear()
        self.lines += self._fillings
        self._fillings.clear()

    def _decoded(self, codec: Codec[Any]) -> str:
        self.unpack()
        variable, end = self.variable(), self.variable()
        self.lines.append(f"{variable}, {end} = {self.thing(codec.decode)}(octets, {self.here()})")
        self._start, self._offset = end, 0
        return variable
