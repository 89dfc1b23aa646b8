"""A client of another maker reads parts of the simulated meter's load profile: the same rows as ours, by the same selectors."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.conformance.proofs import Link, Service, Side, proves
from tests.interop import peer

from meterwright.client import BlockingClient, MeterAddress, Scheme
from meterwright.cosem import CaptureObject, EntryDescriptor, ProfileGeneric, ProfileRows, RangeDescriptor
from meterwright.data import octet_date_time
from meterwright.simulator import ManualClock, SimulatedService, plain_meter
from meterwright.values import CosemDateTime

pytestmark = pytest.mark.interop

PROFILE = "1.0.99.1.0.255"
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = (START - timedelta(hours=1), START)
SHOWN = (Service.GET_RANGE, Service.GET_ENTRIES, Service.GET_COLUMNS)
SCHEMES: dict[peer.LinkName, Scheme] = {"wrapper": Scheme.TCP, "hdlc": Scheme.HDLC_TCP}


@contextmanager
def listening(scheme: Scheme) -> Generator[str]:
    """A plain meter whose time stands still, in another thread's loop; its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    service = SimulatedService([plain_meter(1, clock=ManualClock(START))], scheme=scheme)
    try:
        (there,) = asyncio.run_coroutine_threadsafe(service.start(), loop).result(10)
        yield there.url
    finally:
        asyncio.run_coroutine_threadsafe(service.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def as_the_peer_shows(found: ProfileRows) -> list[list[object]]:
    return [
        [f"hex:{cell.octets.hex()}" if isinstance(cell, CosemDateTime) else cell for cell in row]
        for row in found
    ]


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(name, marks=[proves(each, link, sides=[Side.PEER]) for each in SHOWN])
        for name, link in (("wrapper", Link.WRAPPER), ("hdlc", Link.HDLC))
    ],
)
def test_another_maker_and_we_read_the_same_rows(link: peer.LinkName) -> None:
    peer.interpreter()  # no meter is started for a test that will be skipped
    with listening(SCHEMES[link]) as url:
        port = MeterAddress.parse(url).port
        report = peer.profile(port, PROFILE, entries=(2870, 4), between=HOUR, columns=2, link=link)
        with BlockingClient(url) as client:
            profile = ProfileGeneric(client, PROFILE)
            captured = profile.capture_objects.get()
            ours = {
                "entries": profile.buffer.entries(2870, 2873),
                "entries_of_some_columns": profile.buffer.entries(2870, 2873, last_column=2),
                "range": profile.buffer.range(*HOUR),
                "range_of_some_columns": profile.buffer.range(*HOUR, columns=captured[:2]),
            }
            told = (profile.sort_method.get(), profile.capture_period.get())
    assert [str(each.logical_name) for each in captured] == report["capture_objects"]
    assert told == (report["sort_method"], report["capture_period"])
    assert [len(each) for each in ours.values()] == [4, 4, 5, 5]
    assert as_the_peer_shows(ours["entries"]) == report["entries"]["rows"]
    assert as_the_peer_shows(ours["entries_of_some_columns"]) == report["entries_of_some_columns"]["rows"]
    assert as_the_peer_shows(ours["range"]) == report["range"]["rows"]
    assert as_the_peer_shows(ours["range_of_some_columns"]) == report["range_of_some_columns"]["rows"]
    assert (
        EntryDescriptor(2870, 2873).to_selection().access_parameters.to_octets().hex()
        in report["entries"]["sent"]
    )
    assert weekday_left_open(captured).hex() in report["range_of_some_columns"]["sent"]


def weekday_left_open(captured: tuple[CaptureObject, ...]) -> bytes:
    """The peer's range is ours, but that it leaves the days of the week open."""
    first, last = (
        CosemDateTime.from_octets(octets[:4] + b"\xff" + octets[5:])
        for octets in (CosemDateTime.from_datetime(each).octets for each in HOUR)
    )
    descriptor = RangeDescriptor(captured[0], octet_date_time(first), octet_date_time(last), captured[:2])
    return descriptor.to_selection().access_parameters.to_octets()
