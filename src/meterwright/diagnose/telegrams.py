"""Telegrams of consumer ports (IEC 62056-21 mode D, as P1 of DSMR 5 and its kin have it): lines of text, no APDU.

::

    /ISK5 2M550T-1012      three letters of the maker, the baud rate's digit, an identification
    1-0:1.8.0(001581.123*kWh)
    !E47C                  CRC-16/ARC over all from / to !, in hex; older ones have none
"""

import re
from dataclasses import dataclass
from typing import Final

from meterwright.diagnose.carried import error
from meterwright.diagnose.explanation import Part, Reading, State
from meterwright.diagnose.wording import safe
from meterwright.dictionary import describe
from meterwright.values import Finding, Level, Obis

__all__ = ["TELEGRAM", "Telegram", "read_telegram"]

TELEGRAM: Final = b"/"
"""How every telegram begins."""

_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_ENTRY: Final = re.compile(r"([^()]+)((?:\([^()]*\))+)")
_ID: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[.*](\d{1,3}))?")
_NUMBER: Final = re.compile(r"(-?\d+(?:\.\d+)?)\*(\S+)")
_MOST_LINES: Final = 2000
_POLYNOMIAL: Final = 0xA001
_CRC_WORDS: Final = {None: "no CRC", True: "the CRC is right", False: "the CRC is wrong"}


@dataclass(frozen=True, slots=True)
class Telegram:
    """What one telegram says: `crc_ok` is None where it has none."""

    identification: str
    crc_ok: bool | None
    part: Part
    values: tuple[Reading, ...]
    findings: tuple[Finding, ...]


def read_telegram(octets: bytes) -> Telegram:
    """What a telegram says, line by line; whatever it is, there is an answer."""
    reader = _Reader(octets)
    position = 0
    while position < len(octets) and not reader.ended:
        found = _LINE.match(octets, position)
        end = len(octets) if found is None else max(found.end(), position + 1)
        reader.take(position, end)
        position = end
    if not reader.ended:
        what = "the telegram has no end: a line that begins with ! is missing"
        reader.findings.append(error("truncated", what, offset=len(octets)))
    elif position < len(octets):
        reader.behind(position)
    first, _, _ = octets.partition(b"\n")
    part = Part(0, len(octets), "telegram", "", octets, parts=tuple(reader.parts))
    identification = safe(first.decode("latin-1").strip("\r\n"))
    return Telegram(identification, reader.crc_ok, part, tuple(reader.values), tuple(reader.findings))


class _Reader:
    """What the lines read so far have said. `ended` where no line follows that is read."""

    def __init__(self, octets: bytes) -> None:
        self.parts: list[Part] = []
        self.values: list[Reading] = []
        self.findings: list[Finding] = []
        self.crc_ok: bool | None = None
        self.ended = False
        self._octets = octets

    def take(self, start: int, end: int) -> None:
        """The next line."""
        line = self._octets[start:end].decode("latin-1").strip("\r\n")
        if len(self.parts) == _MOST_LINES:
            self.ended = True
            self.findings.append(
                error("too-many-lines", f"only {_MOST_LINES} lines of a telegram are read", offset=start)
            )
            self._leaf(start, end, "line", "", state=State.UNREAD)
        elif line.startswith("!"):
            self.ended = True
            self.crc_ok = _crc_fits(self._octets[: start + 1], line[1:5])
            self._leaf(start, end, "end", _CRC_WORDS[self.crc_ok])
            if self.crc_ok is False:
                self.findings.append(
                    error("check-sequence", "the CRC of the telegram is wrong", offset=start + 1)
                )
        elif start == 0:
            self._leaf(start, end, "identification", safe(line))
        elif not line:
            self._leaf(start, end, "empty line", "")
        elif line.startswith("(") and self.values:
            last = self.values[-1]
            self.values[-1] = _reading(last.obis, f"{last.raw}{line}")
            self._leaf(start, end, "goes on", safe(line))
        else:
            self._entry(start, end, line)

    def behind(self, position: int) -> None:
        """What follows the end."""
        rest = self._octets[position:]
        if any(rest):
            self._leaf(position, len(self._octets), "trailing", f"{len(rest)} octets", state=State.UNREAD)
            self.findings.append(
                error(
                    "trailing-octets", f"{len(rest)} octets follow the end of the telegram", offset=position
                )
            )
        else:
            self._leaf(position, len(self._octets), "padding", f"{len(rest)} zero octets")

    def _entry(self, start: int, end: int, line: str) -> None:
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            self.findings.append(
                error(
                    "illegal-line",
                    "the line is no entry, which is an id and values in brackets",
                    offset=start,
                )
            )
            self._leaf(start, end, "line", safe(line), state=State.UNREAD)
            return
        name, told = entry[1], entry[2]
        obis = _obis(name)
        if obis is None:
            message = f"{safe(name)} is no OBIS code in the way of telegrams, such as 1-0:1.8.0"
            self.findings.append(Finding(Level.WARNING, "quirk-malformed-obis", message, start))
        self.values.append(_reading(name if obis is None else str(obis), told))
        self._leaf(start, end, safe(name), f"{safe(told)} ({describe(obis)})" if obis else safe(told))

    def _leaf(self, start: int, end: int, name: str, value: str, *, state: State = State.READ) -> None:
        self.parts.append(Part(start, end, name, value, self._octets[start:end], state))


def _reading(obis: str, told: str) -> Reading:
    """What an entry says: its last value is a number where it has a unit, else a text."""
    last = told.rpartition("(")[2].rstrip(")")
    number = _NUMBER.fullmatch(last)
    if number is None:
        return Reading(obis, None, told, last)
    value = float(number[1]) if "." in number[1] else int(number[1][:18])
    return Reading(obis, None, told, value, None, number[2])


def _obis(name: str) -> Obis | None:
    found = _ID.fullmatch(name)
    if found is None:
        return None
    groups = [255 if group is None else int(group) for group in found.groups()]
    return Obis(bytes(groups)) if max(groups) <= 0xFF else None


def _crc_fits(covered: bytes, told: str) -> bool | None:
    if not told:
        return None
    register = 0
    for octet in covered:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return f"{register:04X}" == told.upper()
