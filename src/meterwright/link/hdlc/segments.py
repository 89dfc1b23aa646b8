"""APDUs to segments and back: the LLC header before the first (IEC 62056-46 5.3), and a cap on what is put together.

A client writes E6 E6 00 and a meter E6 E7 00; either is taken from either. Octets without one are taken as they are: some
meters leave it out in pushes, and no APDU begins with E6.
"""

from typing import Final

from meterwright.errors import RemoteProtocolError

__all__ = ["LLC_COMMAND", "LLC_RESPONSE", "Reassembly", "split"]

LLC_COMMAND: Final = b"\xe6\xe6\x00"
LLC_RESPONSE: Final = b"\xe6\xe7\x00"
_LLC: Final = (LLC_COMMAND, LLC_RESPONSE)


def split(llc: bytes, apdu: bytes, size: int) -> list[bytes]:
    """What goes into one frame each, none longer than `size`."""
    octets = llc + apdu
    return [octets[start : start + size] for start in range(0, len(octets), size)]


class Reassembly:
    """Segments of one APDU after the other, up to `longest` octets."""

    def __init__(self, longest: int) -> None:
        self._longest = longest + len(LLC_COMMAND)
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_under_way(self) -> bool:
        """Whether segments have come and the last has not."""
        return bool(self._parts)

    def add(self, segment: bytes, *, last: bool) -> bytes | None:
        """The APDU, where this was its last segment. RemoteProtocolError where it grows too long, or does not grow."""
        self._size += len(segment)
        if self._size > self._longest:
            self.forget()
            raise RemoteProtocolError(
                f"an APDU in segments grows beyond {self._longest} octets",
                layer="hdlc",
                hint="ask for less at once",
            )
        if not last:
            if not segment:
                self.forget()
                raise RemoteProtocolError(
                    "a segment without octets announces another", layer="hdlc", hint="connect anew"
                )
            self._parts.append(segment)
            return None
        octets = b"".join((*self._parts, segment))
        self.forget()
        return octets[len(LLC_COMMAND) :] if octets.startswith(_LLC) else octets

    def begins_anew(self, segment: bytes) -> bool:
        """Whether this is the first segment of an APDU although another is under way, whose end was lost then."""
        return self.is_under_way and segment.startswith(_LLC)

    def forget(self) -> None:
        """Drop what has come."""
        self._parts.clear()
        self._size = 0
