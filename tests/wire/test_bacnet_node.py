"""The BACnet driver against an independent stack: npm's node-bacnet."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from controller.core.discovery import FoundDevice, FoundPoint, NoAnswer
from controller.core.point import PointId, PointKind, ValueType
from controller.core.sample import Quality
from drivers.bacnet import SCAN
from tests.wire.bacnet_bench import Bench, bound
from tests.wire.bacnet_node import OUR_HOST, NodeDevice, who_is

pytestmark = [pytest.mark.wire, pytest.mark.system]

ANALOG_INPUT, BINARY_OUTPUT = (0, 1), (4, 1)


def bench_of(node: NodeDevice, *, cov: bool = False, **connection: Any) -> Bench:
    place = node.address
    return Bench(
        [
            bound("level", "analog-input,1", place, cov=cov),
            bound("setpoint", "analog-output,1", place),
            bound("pump", "binary-output,1", place, ValueType.BOOLEAN),
            bound("mode", "multi-state-value,1", place, ValueType.TEXT, states=("off", "auto", "on")),
        ],
        interface=f"{OUR_HOST}/32",
        **connection,
    )


async def test_reads_writes_lets_go_and_sees_who_is_above() -> None:
    with NodeDevice() as node:
        bench = bench_of(node)
        async with bench.driver:
            assert await bench.values() == [6.5, 7.0, False, "off"]
            assert await bench.write("setpoint", 9.5) == (True, "")
            assert await bench.write("pump", True) == (True, "")
            assert await bench.write("mode", "on") == (True, "")
            assert await bench.values() == [6.5, 9.5, True, "on"]
            node.set(BINARY_OUTPUT, 0, slot=8)
            assert await bench.write("pump", True) == (True, "held by slot 8")
            node.set(BINARY_OUTPUT, None, slot=8)
            for name in ("setpoint", "pump", "mode"):
                assert await bench.write(name, None) == (True, "")
            assert await bench.values() == [6.5, 7.0, False, "off"]
            accepted, reason = await bench.write("level", 1.0)
            assert (accepted, reason) == (False, "refused: write-access-denied")
        node.set(ANALOG_INPUT, 0.0)
        assert [(each["object"], each["type"], each["value"], each["priority"]) for each in node.written] == [
            ([1, 1], 4, 9.5, 10),
            ([4, 1], 9, 1, 10),
            ([19, 1], 2, 3, 10),
            ([4, 1], 9, 1, 10),
            ([1, 1], 0, None, 10),
            ([4, 1], 0, None, 10),
            ([19, 1], 0, None, 10),
        ]


@pytest.mark.slow
async def test_changes_are_told() -> None:
    with NodeDevice() as node:
        bench = bench_of(node, cov=True)
        level = PointId("a.device_1.level")
        async with bench.driver, asyncio.timeout(30), aclosing(bench.driver.changes()) as changes:
            told = await anext(changes)
            assert (told[level].value, told[level].quality) == (6.5, Quality.GOOD)
            node.set(ANALOG_INPUT, 8.25)
            assert (await anext(changes))[level].value == 8.25
            assert (await bench.values())[0] == 8.25


@pytest.mark.slow
async def test_a_device_whose_plug_was_pulled_comes_back() -> None:
    with NodeDevice() as node:
        bench = bench_of(node)
        async with bench.driver:
            assert await bench.values() == [6.5, 7.0, False, "off"]
            node.kill()
            with pytest.raises(TimeoutError):
                await bench.values()
        node.start()
        async with bench.driver:
            assert await bench.values() == [6.5, 7.0, False, "off"]


@pytest.mark.slow
async def test_scan_tells_what_there_is() -> None:
    with NodeDevice() as node:
        found = [each async for each in SCAN.discover(node.address, _options(port="0", wait="2"))]
    device = found[0]
    assert isinstance(device, FoundDevice)
    assert device.id == "chiller_gateway"
    assert device.title == "Node Gateway 4, Chiller Gateway"
    assert device.address == {"device": node.address}
    points = [each for each in found[1:] if isinstance(each, FoundPoint)]
    assert len(points) == len(found) - 1
    assert [(each.name, each.kind, each.type, each.unit, each.value) for each in points] == [
        ("supply_water_temp", PointKind.SENSOR, ValueType.NUMBER, "degC", "6.5"),
        ("setpoint", PointKind.SETPOINT, ValueType.NUMBER, "degC", "7"),
        ("pump", PointKind.COMMAND, ValueType.BOOLEAN, "none", "stop"),
        ("mode", PointKind.COMMAND, ValueType.TEXT, "none", "off"),
    ]
    assert points[3].address == {"object": "multi-state-value,1", "states": ["off", "auto", "on"]}
    assert points[3].states == ("off", "auto", "on")


@pytest.mark.slow
async def test_we_say_who_we_are_where_the_site_says_so() -> None:
    port = NodeDevice().port
    with NodeDevice() as node:
        bench = bench_of(node, instance=77, port=port)
        async with bench.driver:
            assert await asyncio.to_thread(who_is, f"{OUR_HOST}:{port}") == {"instance": 77, "name": "tidewatt-77"}


@pytest.mark.slow
async def test_scanning_nobody_says_so() -> None:
    target = NodeDevice().address
    found = [each async for each in SCAN.discover(target, _options(port="0", wait="0.5"))]
    assert found == [NoAnswer(target, "no device answers within 0.5 s")]


def _options(**chosen: str) -> dict[str, str]:
    return {option.name: option.default for option in SCAN.options} | chosen
