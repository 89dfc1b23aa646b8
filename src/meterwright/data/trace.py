"""Which octets of a Data tree meant what: decoding once more, leaving a span for every part; and the wire type of a field."""

from collections.abc import Callable
from typing import Final, TypeAlias

from meterwright.codec import Codec, Span
from meterwright.data.tree import DECODERS, Data, DataTag, counted

__all__ = ["TRACERS", "DataField", "trace_data"]

Trace: TypeAlias = Callable[[bytes, int, Span, int], tuple[Data, int]]
"""The node whose tag stands before a position, and where it ends; the number is how deep it stands."""


def trace_data(octets: bytes, position: int, span: Span, depth: int = 0) -> tuple[Data, int]:
    """The node that starts at `position`, and where it ends, with a span for every part of it."""
    tag = octets[position]
    trace = TRACERS.get(tag)
    if trace is None:
        return DECODERS[tag](octets, position + 1, depth)
    return trace(octets, position + 1, span, depth)


def _tracing(tag: DataTag) -> Trace:
    def trace(octets: bytes, position: int, span: Span, depth: int) -> tuple[Data, int]:
        count, position = counted(octets, position, depth)
        elements: list[Data] = []
        for index in range(count):
            part = span.child(f"[{index}]", position)
            element, position = trace_data(octets, position, part, depth + 1)
            part.close(position, element)
            elements.append(element)
        return Data(tag, tuple(elements)), position

    return trace


TRACERS: Final[dict[int, Trace]] = {tag: _tracing(tag) for tag in (DataTag.ARRAY, DataTag.STRUCTURE)}
"""By its tag, how the parts of a node are told; what is not here has none."""


class DataField:
    """The wire type of a field that holds a Data tree: ``Annotated[Data, DataField()]``."""

    def codec(self) -> Codec[Data]:
        return Codec(Data.to_octets, _decode_field, trace_data)


def _decode_field(octets: bytes, position: int) -> tuple[Data, int]:
    return DECODERS[octets[position]](octets, position + 1, 0)
