"""The clients and a simulated meter in general block transfer, over TCP: what is long in either direction, once both want it."""

import asyncio

import pytest
from tests.client.test_simulated import elsewhere

from meterwright.association import Proposal
from meterwright.client import BlockingClient, Client, ClientSettings
from meterwright.cosem import AssociationLn
from meterwright.values import Conformance


def settings(window: int) -> ClientSettings:
    return ClientSettings(proposal=Proposal(max_receive_pdu_size=64, block_window=window))


@pytest.mark.parametrize("window", [1, 5])
def test_the_blocking_twin_reads_what_is_long(window: int) -> None:
    with elsewhere() as there:
        with BlockingClient(there.url) as client:
            whole = AssociationLn(client).object_list.get()
            assert Conformance.GENERAL_BLOCK_TRANSFER not in client.context.conformance
        with BlockingClient(there.url, settings(window)) as client:
            assert Conformance.GENERAL_BLOCK_TRANSFER in client.context.conformance
            assert AssociationLn(client).object_list.get() == whole


def test_the_asyncio_twin_reads_several_at_once_one_after_the_other() -> None:
    async def scenario(url: str) -> None:
        async with Client(url, settings(3)) as client:
            objects = AssociationLn(client).object_list
            whole = await objects.get()
            assert await asyncio.gather(*(objects.get() for _ in range(4))) == [whole] * 4

    with elsewhere() as there:
        asyncio.run(scenario(there.url))


def test_one_who_no_longer_waits_keeps_nobody_else_waiting() -> None:
    async def scenario(url: str) -> None:
        async with Client(url, settings(3)) as client:
            objects = AssociationLn(client).object_list
            whole = await objects.get()
            given_up = asyncio.ensure_future(objects.get())
            await asyncio.sleep(0)
            given_up.cancel()
            assert await objects.get() == whole

    with elsewhere() as there:
        asyncio.run(scenario(there.url))
