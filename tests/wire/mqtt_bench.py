"""The MQTT driver on a clock in our hands, on a broker that refuses, falls silent and talks nonsense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

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
from controller.core.sample import Sample
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress, MqttConnection
from drivers.mqtt.driver import MqttDriver
from tests.hand_clock import HandClock
from tests.wire.mqtt_broker import LittleBroker

ONE: Final = PointId("hall.sensor_1.temperature")
TWO: Final = PointId("hall.sensor_2.temperature")
LAMP: Final = PointId("hall.lamp_1.command")
TIMEOUT: Final = timedelta(seconds=0.3)
PATIENCE: Final = 10.0

_LAMP: Final = Writable(Range(0, 1), SafeValue(True), NothingHappens(), readback=LAMP)
POINTS: Final = {
    ONE: Point(ONE, PointKind.SENSOR, Unit.CELSIUS),
    TWO: Point(TWO, PointKind.SENSOR, Unit.CELSIUS),
    LAMP: Point(LAMP, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=_LAMP),
}
TELLS: Final = MqttAddress("{topic}", "one", "t")
ASKED: Final = MqttAddress("{topic}", "two", "t", request_topic="{topic}/get")
THERE: Final = replace(TELLS, availability=(Availability("{topic}/there"),), reports="on_change")


class Bench:
    """A broker, and a driver on it whose clock moves by hand."""

    def __init__(self, broker: LittleBroker, addresses: Mapping[PointId, MqttAddress], **more: Any) -> None:
        connection = replace(MqttConnection("127.0.0.1", broker.port, timeout=TIMEOUT), **more)
        bindings = [Binding(POINTS[point], f"device_{point}", address) for point, address in addresses.items()]
        self.broker = broker
        self.clock = HandClock()
        self.link = MqttDriver("broker", connection, bindings, self.clock)

    async def read(self, point: PointId = ONE) -> Sample:
        async with asyncio.timeout(PATIENCE):
            return (await self.link.read([point]))[point]

    async def told(self, topic: str, body: Any) -> Mapping[PointId, Sample]:
        """What the driver makes of a message."""
        self.broker.tell(topic, body if isinstance(body, bytes) else json.dumps(body).encode())
        async with asyncio.timeout(PATIENCE):
            changes = self.link.changes()
            news = await anext(changes)
            await changes.aclose()
        return news


@asynccontextmanager
async def bench(addresses: Mapping[PointId, MqttAddress], **more: Any) -> AsyncGenerator[Bench]:
    async with little_broker() as broker:
        made = Bench(broker, addresses, **more)
        async with made.link:
            yield made


@asynccontextmanager
async def little_broker() -> AsyncGenerator[LittleBroker]:
    broker = LittleBroker()
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
