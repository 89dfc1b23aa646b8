"""Both twins against a simulated meter over real sockets: the meter's loop runs in another thread, as in another process."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from meterwright.apdu import AttributeDescriptor, MethodDescriptor
from meterwright.association import Proposal
from meterwright.client import BlockingClient, Client, ClientSettings, MeterAddress
from meterwright.cosem import AssociationLn, Clock, DataObject, ImageTransfer, Register
from meterwright.data import null_data, octet_string
from meterwright.errors import (
    ActionError,
    AssociationRejected,
    ConnectFailed,
    ConnectionLost,
    DataAccessError,
    MeterwrightError,
)
from meterwright.exchange import Called
from meterwright.simulator import SimulatedMeter, SimulatedService, plain_meter
from meterwright.values import ActionResult, DataAccessResult, ImageTransferStatus, Obis

NAME = AttributeDescriptor(1, Obis.parse("0.0.42.0.0.255"), 2)
NOT_THERE = AttributeDescriptor(1, Obis.parse("0.0.43.0.0.255"), 2)
SMALL = ClientSettings(proposal=Proposal(max_receive_pdu_size=64))


@dataclass
class Elsewhere:
    """A simulated meter in a thread of its own."""

    url: str
    meter: SimulatedMeter
    loop: asyncio.AbstractEventLoop
    service: SimulatedService

    def switch_off(self) -> None:
        """From here: its connections drop."""
        asyncio.run_coroutine_threadsafe(self.service.stop(), self.loop).result(10)

    @property
    def connections(self) -> int:
        """How many clients it has."""
        return self.service.runners[0].listener.connections


@contextmanager
def elsewhere() -> Generator[Elsewhere]:
    """Run a plain meter in another thread's loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    meter = plain_meter(1)
    service = SimulatedService([meter])
    try:
        (listening,) = asyncio.run_coroutine_threadsafe(service.start(), loop).result(10)
        yield Elsewhere(listening.url, meter, loop, service)
    finally:
        asyncio.run_coroutine_threadsafe(service.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_the_blocking_twin_reads_objects() -> None:
    with elsewhere() as there, BlockingClient(there.url) as client:
        assert DataObject(client, "0.0.42.0.0.255").value.get().value == b"MWS0000000001"
        assert Clock(client).time.get().year is not None
        assert Register(client, "1.0.1.8.0.255").logical_name.get() == Obis.parse("1.0.1.8.0.255")
        assert ImageTransfer(client).image_transfer_status.get() is ImageTransferStatus.NOT_INITIATED
        ImageTransfer(client).image_transfer_enabled.set(False)
        assert ImageTransfer(client).image_transfer_enabled.get() is False


def test_the_asyncio_twin_reads_the_same() -> None:
    async def scenario(url: str) -> None:
        async with Client(url) as client:
            assert (await DataObject(client, "0.0.42.0.0.255").value.get()).value == b"MWS0000000001"
            assert (await Clock(client).time.get()).year is not None
            await ImageTransfer(client).image_transfer_enabled.set(False)
            assert await ImageTransfer(client).image_transfer_enabled.get() is False

    with elsewhere() as there:
        asyncio.run(scenario(there.url))


def test_a_large_object_list_comes_in_blocks_and_is_the_same() -> None:
    with elsewhere() as there:
        with BlockingClient(there.url) as client:
            whole = AssociationLn(client).object_list.get()
        with BlockingClient(there.url, SMALL) as client:
            assert client.context.max_receive_pdu_size == 64
            assert AssociationLn(client).object_list.get() == whole
    assert len(whole) == 13


def test_several_large_reads_at_once_do_not_disturb_each_other() -> None:
    """The meter keeps one long answer at a time: what comes in between breaks it off, clearly."""

    async def scenario(url: str) -> None:
        async with Client(url, SMALL) as client:
            whole = await AssociationLn(client).object_list.get()
            outcomes = await asyncio.gather(
                *(AssociationLn(client).object_list.get() for _ in range(3)), return_exceptions=True
            )
            assert all(
                isinstance(each, MeterwrightError) if isinstance(each, BaseException) else each == whole
                for each in outcomes
            )
            assert await AssociationLn(client).object_list.get() == whole

    with elsewhere() as there:
        asyncio.run(scenario(there.url))


def test_a_list_with_what_is_not_there() -> None:
    with elsewhere() as there, BlockingClient(there.url) as client:
        name, refused, again = client.read_list([NAME, NOT_THERE, NAME])
        assert refused is DataAccessResult.OBJECT_UNDEFINED
        assert name == again
        with pytest.raises(DataAccessError):
            client.read(NOT_THERE)


def test_a_list_that_is_too_long_for_one_answer() -> None:
    with elsewhere() as there, BlockingClient(there.url, SMALL) as client:
        results = client.read_list([NAME, NOT_THERE] * 8)
        assert results[1::2] == (DataAccessResult.OBJECT_UNDEFINED,) * 8
        assert len(set(results[::2])) == 1


LONG = octet_string(bytes(70_000))
NO_METHOD = MethodDescriptor(1, Obis.parse("0.0.43.0.0.255"), 1)
UNDEFINED = (DataAccessResult.OBJECT_UNDEFINED, ActionResult.OBJECT_UNDEFINED)


def test_long_requests_and_lists_of_the_blocking_client() -> None:
    with elsewhere() as there, BlockingClient(there.url) as client:
        with pytest.raises(DataAccessError, match="object-undefined"):
            client.write(NOT_THERE, LONG)
        with pytest.raises(ActionError, match="object-undefined"):
            client.invoke(NO_METHOD, LONG)
        for value in (null_data(None), LONG):
            assert client.write_list([(NOT_THERE, value)] * 2) == (UNDEFINED[0],) * 2
            assert client.invoke_list([(NO_METHOD, value)] * 2) == (Called(UNDEFINED[1]),) * 2


def test_long_requests_and_lists_of_the_asynchronous_client() -> None:
    async def scenario(url: str) -> None:
        async with Client(url) as client:
            with pytest.raises(DataAccessError, match="object-undefined"):
                await client.write(NOT_THERE, LONG)
            with pytest.raises(ActionError, match="object-undefined"):
                await client.invoke(NO_METHOD, LONG)
            for value in (null_data(None), LONG):
                assert await client.write_list([(NOT_THERE, value)] * 2) == (UNDEFINED[0],) * 2
                assert await client.invoke_list([(NO_METHOD, value)] * 2) == (Called(UNDEFINED[1]),) * 2

    with elsewhere() as there:
        asyncio.run(scenario(there.url))


def test_a_client_nobody_knows_is_rejected() -> None:
    with elsewhere() as there, pytest.raises(AssociationRejected), BlockingClient(f"{there.url}?client=99"):
        pytest.fail("associated")


def test_a_meter_that_is_switched_off_is_told_and_so_is_the_next_try() -> None:
    with elsewhere() as there:
        with BlockingClient(there.url) as client:
            there.switch_off()
            with pytest.raises(ConnectionLost):
                client.read(NAME)
            assert not client.is_associated
        with pytest.raises(ConnectFailed):
            client.connect()


def test_many_blocking_clients_in_many_threads() -> None:
    with elsewhere() as there:

        def read(_number: int) -> object:
            with BlockingClient(there.url) as client:
                return client.read(NAME)

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(read, range(24)))) == 1
        for _ in range(1000):
            if not there.connections:
                break
            asyncio.run(asyncio.sleep(0.002))
        assert there.connections == 0


def test_an_address_may_be_given_parsed() -> None:
    with elsewhere() as there, BlockingClient(MeterAddress.parse(there.url)) as client:
        assert client.is_associated
