"""Pushes whose attribute descriptors stand in their structures without a tag, as some meters send them in Czechia.

::

    02 02 | class u16 | logical name (6) | attribute i8 | value, a Data        a book's would have 12, 09 06 and 0f before the three

No book allows it, and as Data it can't be read. It is told by its form, where the whole push fits it to the last octet.
"""

from typing import Final

from meterwright.codec import decode_length
from meterwright.data import DataTag, decode_data
from meterwright.diagnose.elements import class_name
from meterwright.diagnose.explanation import Part, Reading
from meterwright.diagnose.readings import reading_of
from meterwright.diagnose.wording import words
from meterwright.dictionary import describe, is_likely
from meterwright.errors import RemoteProtocolError
from meterwright.values import Obis

__all__ = ["UntaggedPush"]

_DESCRIPTOR: Final = 9
_DEEPEST: Final = 8
_HIGHEST_ATTRIBUTE: Final = 100


class UntaggedPush:
    """The body of such a push: its parts, and its values with their objects. RemoteProtocolError where it is none."""

    def __init__(self, octets: bytes, start: int) -> None:
        self.parts: list[Part] = []
        self.values: list[Reading] = []
        self._octets = octets
        end = self._node(start, 0)
        rest = octets[end:]
        if not self.values or any(rest):
            raise RemoteProtocolError("no push with untagged descriptors", offset=end)
        if rest:
            self._leaf(end, len(octets), "padding", f"{len(rest)} zero octets")

    def _node(self, position: int, depth: int) -> int:
        """Read what begins at `position`, and tell where it ends."""
        tag = self._octets[position] if position < len(self._octets) else None
        if tag not in (DataTag.ARRAY, DataTag.STRUCTURE) or depth == _DEEPEST:
            return self._value(position)
        try:
            count, end = decode_length(self._octets, position + 1)
        except IndexError:
            raise RemoteProtocolError("the octets end too early", offset=position + 1) from None
        self._leaf(position, end, DataTag(tag).label, f"{count} elements")
        if tag == DataTag.STRUCTURE and count == 2 and self._is_descriptor(end):
            return self._entry(end)
        for _ in range(count):
            end = self._node(end, depth + 1)
        return end

    def _entry(self, position: int) -> int:
        """A descriptor and the value it is about."""
        start = position + _DESCRIPTOR
        class_id = int.from_bytes(self._octets[position : position + 2], "big")
        obis, attribute = Obis(self._octets[position + 2 : start - 1]), self._octets[start - 1]
        named = class_name(class_id) or f"class {class_id}"
        self._leaf(
            position, start, "descriptor", f"{class_id}/{obis}/{attribute} ({named}, {describe(obis)})"
        )
        data, end = decode_data(self._octets, start)
        self._leaf(start, end, "value", words(data))
        self.values.append(reading_of(obis, attribute, data))
        return end

    def _value(self, position: int) -> int:
        data, end = decode_data(self._octets, position)
        self._leaf(position, end, "value", words(data))
        return end

    def _is_descriptor(self, position: int) -> bool:
        head = self._octets[position : position + _DESCRIPTOR]
        return (
            len(head) == _DESCRIPTOR
            and head[0] == 0 != head[1]
            and is_likely(head[2:8])
            and 0 < head[8] <= _HIGHEST_ATTRIBUTE
        )

    def _leaf(self, start: int, end: int, name: str, value: str) -> None:
        self.parts.append(Part(start, end, name, value, self._octets[start:end]))
