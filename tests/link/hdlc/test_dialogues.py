"""Whole conversations with a real meter, where METERWRIGHT_CAPTURES names them, and every other recorded frame.

Given the APDUs, our client makes the client's frames octet for octet, and our meter those of the meter.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from meterwright.link.hdlc import (
    Frame,
    FrameKind,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcFramer,
    HdlcParameters,
    HdlcServer,
    HdlcServerSettings,
)
from meterwright.link.machine import ApduReceived, LinkEvent, Unsolicited


@dataclass(frozen=True)
class Line:
    """One frame of a dialogue."""

    by_client: bool
    octets: bytes
    frame: Frame

    @property
    def kind(self) -> FrameKind:
        return self.frame.control.kind

    @property
    def apdu(self) -> bytes:
        return self.frame.information[3:]


@pytest.fixture(scope="module")
def dialogues(captures: Path) -> dict[str, list[Line]]:
    rows = [json.loads(line) for line in (captures / "dialogues.jsonl").read_text("utf-8").splitlines()]
    return {row["id"]: [line(each) for each in row["frames"]] for row in rows}


@pytest.fixture(scope="module")
def recorded(captures: Path) -> list[dict[str, Any]]:
    rows = [
        json.loads(line) for line in (captures / "captures.jsonl").read_text("utf-8").splitlines() if line
    ]
    return [row for row in rows if row["kind"] == "hdlc"]


def line(row: dict[str, str]) -> Line:
    octets = bytes.fromhex(row["hex"])
    (frame,) = HdlcFramer().receive(octets)
    return Line(row["dir"] == "client", octets, frame)


def test_every_frame_decodes_and_is_made_again(dialogues: dict[str, list[Line]]) -> None:
    assert len(dialogues) == 3
    for lines in dialogues.values():
        for each in lines:
            assert each.frame.to_octets() == each.octets


def test_our_client_makes_the_client_s_frames(dialogues: dict[str, list[Line]]) -> None:
    for lines in dialogues.values():
        client = HdlcClient(settings_of(lines[0]))
        source = None
        for each in lines:
            if not each.by_client:
                client.receive(each.octets, 0.0)
                continue
            if each.frame.source != source:  # it never took its leave under the address it had before
                source = each.frame.source
                client.lost()
                client.readdress(settings_of(each))
                client.open(0.0)
            elif each.kind is FrameKind.I:
                client.send(each.apdu, 0.0)
            elif each.kind is FrameKind.DISC:
                client.close(0.0)
            assert client.data_to_send() == each.octets
        assert client.deadline is None


def settings_of(first: Line) -> HdlcClientSettings:
    """What the recorded client was set up to: a plain SNRM, and a DISC before the first."""
    return HdlcClientSettings(
        client=first.frame.source,
        server=first.frame.destination,
        proposal=None,
        disconnect_first=first.kind is FrameKind.DISC,
    )


def test_our_meter_makes_the_meter_s_frames(dialogues: dict[str, list[Line]]) -> None:
    for lines in dialogues.values():
        if lines[1].kind is FrameKind.UA:
            lines = lines[2:]  # noqa: PLW2901 - the connection that was there before the recording began
        server = HdlcServer(meter_settings_of(lines))
        for asked, answered in zip(lines[::2], lines[1::2], strict=True):
            events = server.receive(asked.octets, 0.0)
            if asked.kind is FrameKind.I:
                client, upper = asked.frame.source.upper, asked.frame.destination.upper
                assert events == [ApduReceived(asked.apdu, client, upper)]
                server.send(answered.apdu, 0.0)
            assert server.data_to_send() == answered.octets


def meter_settings_of(lines: list[Line]) -> HdlcServerSettings:
    address = lines[0].frame.destination
    ua = next(each for each in lines if each.kind is FrameKind.UA).frame.information
    return HdlcServerSettings(
        logical_devices=frozenset({address.upper}),
        lower=address.lower,
        sizes=frozenset({address.size}),
        unasked=HdlcParameters.from_information(ua),
        wide_sizes=ua[4] == 2,
    )


def test_every_recorded_frame_is_found_and_made_again(recorded: list[dict[str, Any]]) -> None:
    assert len(recorded) > 100
    for row in recorded:
        octets = bytes.fromhex(row["hex"])
        found = HdlcFramer().receive(octets)
        if row["expected"].get("checks_ok"):
            assert len(found) == row["expected"]["frames"], row["id"]
            again = b"".join(frame.to_octets() for frame in found)
            shared = b"~" + b"".join(frame.to_octets()[1:] for frame in found)
            assert octets in (again, shared), row["id"]
        elif "checks_ok" in row["expected"]:
            assert len(found) < row["expected"]["frames"], row["id"]


def test_recorded_pushes_come_out_whole(recorded: list[dict[str, Any]]) -> None:
    """UI frames, many of them in segments, some without LLC header, to client addresses of one and two octets."""
    segmented = 0
    whole = 0
    for row in recorded:
        frames = HdlcFramer().receive(bytes.fromhex(row["hex"]))
        if not frames or any(frame.control.kind is not FrameKind.UI for frame in frames):
            continue
        events = listen(frames)
        announced = sum(not frame.segmented for frame in frames)
        assert len(events) == announced, row["id"]
        assert all(isinstance(each, Unsolicited) for each in events), row["id"]
        if frames[-1].segmented:
            continue  # the rest was not recorded
        total = sum(len(each.apdu) for each in events if isinstance(each, Unsolicited))
        assert 0 <= sum(len(frame.information) for frame in frames) - total <= 3 * len(frames), row["id"]
        segmented += any(frame.segmented for frame in frames)
        whole += announced
    assert segmented
    assert whole > 50


def listen(frames: list[Frame]) -> list[LinkEvent]:
    """What a client hears that has the addresses of the first frame, in one octet where there are two."""
    settings = HdlcClientSettings(HdlcAddress(frames[0].destination.upper), frames[0].source)
    client = HdlcClient(replace(settings, inter_octet_timeout=5.0))
    return [event for frame in frames for event in client.receive(frame.to_octets(), 0.0)]
