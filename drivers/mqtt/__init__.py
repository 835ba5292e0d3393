"""MQTT, 5 and 3.1.1. Loading this costs nothing; aiomqtt is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from drivers.mqtt.address import MqttAddress, MqttConnection
from drivers.mqtt.flows import flows
from drivers.mqtt.scan import SCAN


def open_mqtt(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.mqtt.driver import MqttDriver  # aiomqtt and ssl: only sites with MQTT pay

    return MqttDriver(link, connection, bindings, clock)


KIND = DriverKind(
    name="mqtt",
    connection=MqttConnection,
    address=MqttAddress,
    device_fields=("topic",),
    open=open_mqtt,
    carries_text=True,
    scan=SCAN,
    flows=flows,
)
