"""The BACnet driver against bacpypes3's own devices: answers in segments, BBMDs, devices known by number only."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from bacpypes3.ipv4.app import BBMDApplication, NormalApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.object import CharacterStringValueObject
from bacpypes3.pdu import IPv4Address
from bacpypes3.primitivedata import CharacterString

from controller.core.errors import DeviceTimeout
from controller.core.point import ValueType
from tests.wire.bacnet_bench import Bench, bound
from tests.wire.bacnet_device import free_port

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

INSTANCE = 999
HOST = "127.0.0.1"
LONG = "冷冻水泵 " * 1000


@asynccontextmanager
async def application(kind: Any) -> AsyncGenerator[tuple[Any, str]]:
    """A device of the library with one long text, and its place."""
    place = f"{HOST}:{free_port()}"
    device = DeviceObject(objectIdentifier=("device", INSTANCE), objectName="library", vendorIdentifier=999)
    app = kind(device, IPv4Address(f"{HOST}/32:{place.partition(':')[2]}"))
    text: Any = CharacterStringValueObject(
        objectIdentifier=("characterstring-value", 1), objectName="text", presentValue=CharacterString(LONG)
    )
    app.add_object(text)
    server = app.normal.server if kind is NormalApplication else app.server
    await asyncio.gather(*server._transport_tasks)
    try:
        yield app, place
    finally:
        for transaction in [*app.asap.serverTransactions, *app.asap.clientTransactions]:
            transaction.stop_timer()
        app.close()


async def test_an_answer_in_segments_is_put_together() -> None:
    async with application(NormalApplication) as (_, place):
        bench = Bench([bound("it", "characterstring-value,1", place, ValueType.TEXT)], timeout=timedelta(seconds=5))
        async with bench.driver:
            assert await bench.values() == [LONG]


async def test_we_register_with_a_bbmd_and_find_a_device_by_its_number() -> None:
    async with application(BBMDApplication) as (app, place):
        it = bound("it", "characterstring-value,1", "", ValueType.TEXT, instance=INSTANCE)
        bench = Bench([it], bbmd=place, timeout=timedelta(seconds=5))
        async with bench.driver:
            assert await bench.values() == [LONG]
            assert len(app.bbmd.bbmdFDT) == 1


async def test_a_number_that_nobody_has_is_a_silent_device() -> None:
    async with application(BBMDApplication) as (_, place):
        it = bound("it", "characterstring-value,1", "", ValueType.TEXT, instance=INSTANCE + 1)
        bench = Bench([it], bbmd=place)
        with pytest.raises(DeviceTimeout, match=f"no device {INSTANCE + 1}"):
            await bench.driver.__aenter__()


async def test_a_bbmd_that_is_not_there_is_named() -> None:
    it = bound("it", "characterstring-value,1", "", ValueType.TEXT, instance=INSTANCE)
    bench = Bench([it], bbmd=f"{HOST}:{free_port()}")
    with pytest.raises(DeviceTimeout, match="the BBMD does not register us"):
        await bench.driver.__aenter__()


async def test_without_broadcasts_a_number_cannot_be_looked_for() -> None:
    bench = Bench([bound("it", "characterstring-value,1", "", ValueType.TEXT, instance=INSTANCE)])
    with pytest.raises(DeviceTimeout, match="no broadcast on this interface"):
        await bench.driver.__aenter__()
