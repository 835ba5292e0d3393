"""The OPC UA driver against the server of the library that its client is from: another address space, other habits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.server import Server

from controller.core.discovery import FoundPoint
from controller.core.point import Binding, NothingHappens, Point, PointId, PointKind, Range, SafeValue, Writable
from controller.core.units import Unit
from controller.runtime.clock import RealClock
from drivers.opcua import SCAN
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.driver import OpcuaDriver
from tests.site_processes import free_ports

# Its address space takes seconds to build.
pytestmark = [pytest.mark.wire, pytest.mark.slow]

LEVEL, LOCKED = PointId("a.b.level"), PointId("a.b.locked")


@asynccontextmanager
async def serving() -> AsyncGenerator[tuple[str, Any]]:
    """The server's address and its variable `level`; it lets nobody write `locked`."""
    url = f"opc.tcp://127.0.0.1:{free_ports()}/server"
    server: Any = Server()
    await server.init()
    server.set_endpoint(url)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:asyncua")
    tank = await server.nodes.objects.add_object(space, "Tank")
    identifier: Any = "level"
    level = await tank.add_variable(ua.NodeId(identifier, space), "Level", 1.5)
    await level.set_writable()
    identifier = "locked"
    await tank.add_variable(ua.NodeId(identifier, space), "Locked", 3, ua.VariantType.Int16)
    await server.start()
    try:
        yield url, level
    finally:
        await server.stop()


def bound(point: PointId) -> Binding[OpcuaAddress]:
    writable = Writable(Range(0, 100), SafeValue(0), NothingHappens(), readback=point)
    node = f"nsu=urn:asyncua;s={point.rpartition('.')[2]}"
    return Binding(Point(point, PointKind.SENSOR, Unit.NONE, writable=writable), "b", OpcuaAddress(node))


async def test_reads_changes_writes_and_scan() -> None:
    async with serving() as (url, level):
        driver = OpcuaDriver("link", OpcuaConnection(url), [bound(LEVEL), bound(LOCKED)], RealClock())
        async with driver, aclosing(driver.changes()) as changes, asyncio.timeout(30):
            samples = await driver.read([LEVEL, LOCKED])
            assert {point: sample.value for point, sample in samples.items()} == {LEVEL: 1.5, LOCKED: 3}
            await level.write_value(2.5)
            async for told in changes:
                if LEVEL in told and told[LEVEL].value == 2.5:
                    break
            results = await driver.write({LEVEL: 4, LOCKED: 5})
            assert results == {LEVEL: (True, ""), LOCKED: (False, "refused: BadUserAccessDenied")}
            assert (await driver.read([LEVEL]))[LEVEL].value == 4.0
        options = {option.name: option.default for option in SCAN.options}
        found = [each async for each in SCAN.discover(url, options)]
        points = {each.name: (each.kind, each.value) for each in found if isinstance(each, FoundPoint)}
        assert points == {"level": (PointKind.SETPOINT, "4"), "locked": (PointKind.SENSOR, "3")}
