"""What a link takes of the network: one connection to the broker, whatever the devices tell it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.flow import PACKETS_OF_A_REQUEST, SECONDS_A_DAY, TCP_HEADERS, Flow, Polled, Transport
from controller.core.text import Text
from drivers.mqtt.address import MqttConnection

# How often a device tells is the device's own business.
_TOLD_EVERY_S = 60.0
_MESSAGE = 150 + 2 * TCP_HEADERS
_PING = 4 + PACKETS_OF_A_REQUEST * TCP_HEADERS

_NOTE = Text("if each point is told once a minute", "按每点每分钟一条消息估算")


def flows(connection: MqttConnection, polled: Sequence[Polled]) -> tuple[Flow, ...]:
    host, port = connection.address
    points = sum(len(each.bindings) for each in polled)
    told = points * _MESSAGE / _TOLD_EVERY_S + _PING / connection.keepalive.total_seconds()
    return (Flow(Transport.TCP, host, port, connection.tls is not None, told * SECONDS_A_DAY, note=_NOTE),)
