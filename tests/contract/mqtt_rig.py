"""Two devices behind a broker that tell their state when they are asked, for the contract of the drivers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from controller.core.point import Binding, PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from drivers.mqtt import KIND as MQTT
from drivers.mqtt.address import MqttAddress, MqttConnection
from tests.contract.driver_contract import (
    COMMAND,
    COUNT,
    INITIAL,
    LEVEL,
    OTHER,
    SETPOINT,
    STATUS,
    Bench,
    contract_points,
)
from tests.hand_clock import HandClock
from tests.wire.mqtt_broker import NOT_AUTHORISED, LittleBroker

_SWITCH: Final[dict[str, Scalar]] = {"ON": True, "OFF": False}


def _address(device: str, path: str, **more: Any) -> MqttAddress:
    return MqttAddress("{topic}/state", device, path, request_topic="{topic}/get", request_payload="{topic}", **more)


_ADDRESSES: Final = {
    LEVEL: _address("one", "level"),
    COUNT: _address("one", "count"),
    STATUS: _address("one", "status", values=_SWITCH),
    SETPOINT: _address("one", "setpoint", command_topic="one/setpoint/set", scale=0.1),
    COMMAND: _address("one", "command", values=_SWITCH, command_topic="one/command/set"),
    OTHER: _address("two", "level"),
}
_NAMES: Final = {each.at(each.command_topic): point for point, each in _ADDRESSES.items() if each.command_topic}


class _Hand:
    """The devices are spoken to through the broker, which is where the link can fail."""

    def __init__(self, broker: LittleBroker) -> None:
        self._broker = broker
        self._values: dict[PointId, Scalar] = dict(INITIAL)
        self._refused: set[PointId] = set()
        broker.on_publish = self._serve
        self.hang, self.resume, self.asked = broker.hang, broker.resume, broker.asked.wait
        self.drop, self.restore = broker.stop, broker.start

    def _serve(self, topic: str, payload: bytes) -> None:
        if topic in _NAMES:
            point = _NAMES[topic]
            self._values[point] = payload == b"ON" if point == COMMAND else int(payload) / 10
        else:
            device = topic.removesuffix("/get")
            assert payload == device.encode()
            told = {
                address.path: None if point in self._refused else self._spelt(point)
                for point, address in _ADDRESSES.items()
                if address.topic == device
            }
            self._broker.tell(f"{device}/state", json.dumps(told).encode())

    def _spelt(self, point: PointId) -> Scalar:
        value = self._values[point]
        if point in (STATUS, COMMAND):
            return "ON" if value else "OFF"
        return float(value) * 10 if point == SETPOINT else value

    def set(self, point: PointId, value: Scalar) -> None:
        self._values[point] = value

    def value(self, point: PointId) -> Scalar | None:
        return self._values[point]

    def refuse(self, point: PointId) -> None:
        self._refused.add(point)
        self._broker.puback[_ADDRESSES[point].command_topic] = NOT_AUTHORISED

    def accept(self, point: PointId) -> None:
        self._refused.remove(point)
        del self._broker.puback[_ADDRESSES[point].command_topic]


@asynccontextmanager
async def mqtt() -> AsyncGenerator[Bench]:
    broker = LittleBroker()
    await broker.start()
    try:
        points = contract_points(relinquishes=False)
        bindings = [Binding(points[point], address.topic, address) for point, address in _ADDRESSES.items()]
        clock = HandClock()

        def opens(wait_s: float) -> Driver:
            connection = MqttConnection("127.0.0.1", broker.port, timeout=timedelta(seconds=wait_s))
            return MQTT.open("far", connection, bindings, clock)

        yield Bench(opens, _Hand(broker), clock)
    finally:
        await broker.stop()
