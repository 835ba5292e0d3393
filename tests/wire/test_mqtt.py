"""The MQTT driver against Mosquitto, with devices played by another client of the broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiomqtt
import pytest

from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.sample import Quality, Sample, Scalar
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress, MqttConnection
from drivers.mqtt.driver import MqttDriver
from tests.hand_clock import HandClock
from tests.wire.mqtt_mosquitto import Mosquitto

pytestmark = [pytest.mark.wire, pytest.mark.system]

POWER: Final = PointId("garage.group_1.power")
BRIGHTNESS: Final = PointId("garage.group_1.brightness")
LAMP: Final = PointId("garage.group_1.command")
STATE: Final = "lights/one"

_LAMP: Final = Writable(Range(0, 1), SafeValue(True), NothingHappens(), readback=LAMP)
POINTS: Final = {
    POWER: Point(POWER, PointKind.SENSOR, Unit.KILOWATT, plausible=Range(0, 100)),
    BRIGHTNESS: Point(BRIGHTNESS, PointKind.SENSOR, Unit.FRACTION),
    LAMP: Point(LAMP, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=_LAMP),
}
SWITCH: Final[Mapping[str, Scalar]] = {"ON": True, "OFF": False}
ADDRESSES: Final = {
    POWER: MqttAddress("{topic}", STATE, "meter.power", scale=0.001),
    BRIGHTNESS: MqttAddress("{topic}", STATE, "brightness", scale=1 / 254),
    LAMP: MqttAddress(
        "{topic}",
        STATE,
        "state",
        values=SWITCH,
        command_topic="{topic}/set",
        command_payload='{"state": "{value}"}',
        availability=(Availability("{topic}/availability"),),
    ),
}
PATIENCE: Final = 10.0


def driver(port: int, addresses: Mapping[PointId, MqttAddress] = ADDRESSES, **more: Any) -> MqttDriver:
    connection = replace(MqttConnection("127.0.0.1", port, timeout=timedelta(seconds=0.5)), **more)
    bindings = [Binding(POINTS[point], "lamp", address) for point, address in addresses.items()]
    return MqttDriver("broker", connection, bindings, HandClock())


def told(**changes: Any) -> bytes:
    return json.dumps({"state": "OFF", "brightness": 127, "meter": {"power": 1500}, **changes}).encode()


async def until(link: MqttDriver, point: PointId, value: Scalar | None) -> Sample:
    """The sample of the point as soon as it has this value, by what the driver is told."""
    async with asyncio.timeout(PATIENCE):
        sample = (await link.read([point]))[point]
        changes = link.changes()
        while sample.value != value:
            news = await anext(changes)
            sample = news.get(point, sample)
        await changes.aclose()
    return sample


class TestOneBroker:
    async def test_states_arrive_and_commands_leave(self, tmp_path: Path) -> None:
        async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
            await device.subscribe(f"{STATE}/set", qos=1)
            async with driver(broker.port) as link:
                assert (await link.read([POWER]))[POWER].reason == "nothing received yet"
                await device.publish(STATE, told(), qos=1)
                sample = await until(link, POWER, 1.5)
                assert sample.quality is Quality.GOOD
                assert (await link.read([BRIGHTNESS]))[BRIGHTNESS].value == 0.5

                assert (await link.write({LAMP: 1}))[LAMP].accepted
                command = await anext(device.messages)
                assert (command.payload, command.retain) == (b'{"state": "ON"}', False)
                assert (await link.read([LAMP]))[LAMP].value is False, "a command is no state"
                await device.publish(STATE, told(state="ON"), qos=1)
                await until(link, LAMP, True)
