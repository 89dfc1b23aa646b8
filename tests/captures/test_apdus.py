"""Real frames, where METERWRIGHT_CAPTURES names them: whatever this build knows comes back octet for octet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meterwright.apdu import APDUS, DataNotification, GetResponseNormal, decode_apdu
from meterwright.data import (
    CompactArray,
    Data,
    DataTag,
    compact_array,
    double_long_unsigned,
    integer,
    long_unsigned,
)
from meterwright.errors import RemoteProtocolError
from meterwright.link import WrapperFramer
from meterwright.values import CosemDateTime

LLC = bytes.fromhex("E6E700")
"""What HDLC puts before an APDU; collectors often leave it there."""

BROKEN = {
    "amsreader-kamstrup-gh73-3": "5 octets too many after the APDU",
    "amsreader-iskraemeco-gh1072-2": "9f is no data tag",
    "dlmsparser-raw_egd_example": "2a is no data tag",
}
"""Frames that are broken, or that a maker put together as no book allows, and what is said about them."""


NOT_AS_WE_SEND = {
    "amshan-kaifa-no_list_2": "a data tag before the date-time",
    "amshan-kaifa-no_list_3": "a data tag before the date-time",
    "amsreader-kamstrup-gh111-2": "a length longer than needed",
}
"""Frames that mean what ours mean in other octets, and how they differ."""


def forms(folder: Path) -> dict[str, bytes]:
    """Name and octets of every line of apdus.txt."""
    lines = (folder / "apdus.txt").read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: bytes.fromhex(octets) for name, octets in pairs}


def test_every_form_comes_back(captures: Path) -> None:
    found = forms(captures)
    assert len(found) == 48
    wrong = {
        name: octets.hex() for name, octets in found.items() if decode_apdu(octets).to_octets() != octets
    }
    assert wrong == {}


def test_compact_arrays_are_rows(captures: Path) -> None:
    found = forms(captures)
    numbers, rows = (decode_apdu(found[f"compact-array-{kind}"]) for kind in ("int", "struct"))
    assert isinstance(numbers, GetResponseNormal)
    assert isinstance(numbers.result, Data)
    assert compact_array(integer).from_data(numbers.result) == (1, 2, 3)
    assert isinstance(rows, GetResponseNormal)
    assert rows.result == Data(
        DataTag.COMPACT_ARRAY,
        CompactArray(
            Data(DataTag.STRUCTURE, (long_unsigned(first), double_long_unsigned(second)))
            for first, second in ((10, 1), (11, 2))
        ),
    )


@dataclass(frozen=True)
class Capture:
    """One plain APDU that was on a line, and what is known about it."""

    name: str
    octets: bytes
    expected: dict[str, Any]


def plain_apdus(folder: Path) -> Iterator[Capture]:
    """What came bare or in a wrapper, without keys."""
    for line in (folder / "captures.jsonl").read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["keys"] or one["kind"] not in {"apdu", "wrapper"}:
            continue
        octets = bytes.fromhex(one["hex"])
        if one["kind"] == "wrapper":
            (frame,) = WrapperFramer().receive(octets)
            header = one["expected"]["wrapper"]
            assert (frame.source, frame.destination) == (header["source"], header["destination"])
            octets = frame.apdu
        yield Capture(one["id"], octets.removeprefix(LLC), one["expected"])


def test_plain_apdus_are_what_is_expected_of_them(captures: Path) -> None:
    seen = 0
    for capture in plain_apdus(captures):
        assert capture.octets[0] == capture.expected.get("apdu_tag", capture.octets[0]), capture.name
        if capture.name in BROKEN:
            with pytest.raises(RemoteProtocolError, match=BROKEN[capture.name]):
                decode_apdu(capture.octets)
            continue
        check(capture)
        seen += 1
    assert seen >= 50


def check(capture: Capture) -> None:
    apdu = decode_apdu(capture.octets)
    assert decode_apdu(apdu.to_octets()) == apdu, capture.name
    assert (apdu.to_octets() == capture.octets) == (capture.name not in NOT_AS_WE_SEND), capture.name
    span, error = APDUS.trace(capture.octets)
    assert (error, span.value) == (None, apdu), capture.name
    if isinstance(apdu, DataNotification):
        number = capture.expected.get("invoke_id")
        assert number is None or apdu.long_invoke_id_and_priority.to_int() == number, capture.name
        assert clock_of(apdu.date_time) == capture.expected.get("datetime"), capture.name


def clock_of(moment: CosemDateTime | None) -> dict[str, object] | None:
    """A date-time as the captures write it."""
    if moment is None:
        return None
    return {
        "local": f"{moment.date.to_date()}T{moment.time.to_time():%H:%M:%S}",
        "deviation_min": moment.deviation,
        "status": moment.octets[11],
        "hundredths": moment.time.hundredths,
    }


def test_broken_frames_say_where(captures: Path) -> None:
    """The one that ended in the middle of a value: the offset is where reading stopped, and what came before is kept."""
    (broken,) = [each for each in plain_apdus(captures) if each.name == "amsreader-iskraemeco-gh1072-2"]
    span, error = APDUS.trace(broken.octets)
    assert error is not None
    assert error.where.offset == 151
    assert [part.name for part in span.children] == [
        "long-invoke-id-and-priority",
        "date-time",
        "notification-body",
    ]
    assert span.children[-1].end is None
