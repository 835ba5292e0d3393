"""What each protocol tells a building's IT: the right peer and port, who begins, and bytes that grow with the polls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from controller.core.flow import Flow, Polled, Transport
from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.ports import Address
from controller.core.units import Unit
from drivers import DRIVERS, driver_kind
from drivers.bacnet.address import BacnetAddress, BacnetConnection
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.mqtt.address import MqttAddress, MqttConnection, Tls
from drivers.opcua.address import OpcuaAddress, OpcuaConnection

PEM = "-----BEGIN CERTIFICATE-----\n"


def polled(addresses: Sequence[Address], every: float = 1.0) -> Polled:
    points = [
        Point(PointId(f"plant.meter_{index}.power"), PointKind.SENSOR, Unit.KILOWATT) for index in range(len(addresses))
    ]
    return Polled([Binding(point, "box", each) for point, each in zip(points, addresses, strict=True)], every)


def flows(name: str, connection: Any, *what: Polled) -> Sequence[Flow]:
    of = driver_kind(name).flows
    assert of is not None
    return of(connection, what)


def registers(count: int, apart: int = 1) -> list[ModbusAddress]:
    return [ModbusAddress(unit=1, table="holding", register=index * apart, type="uint16") for index in range(count)]


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_with_a_wire_tells(name: str) -> None:
    kind = driver_kind(name)
    assert kind.is_virtual or kind.flows is not None


def test_modbus_takes_one_connection_and_pays_by_the_block() -> None:
    connection = ModbusConnection(host="10.0.0.5", port=1502)
    (one,) = flows("modbus", connection, polled(registers(10)))
    assert (one.transport, one.peer, one.port, one.encrypted) == (Transport.TCP, "10.0.0.5", 1502, False)
    # 12 and 9 + 20 bytes in three packets with 52 bytes of headers each, once a second.
    assert one.bytes_per_day == 86_400 * (12 + 9 + 20 + 3 * 52)
    (apart,) = flows("modbus", connection, polled(registers(10, apart=500)))
    assert apart.bytes_per_day == 86_400 * 10 * (12 + 9 + 2 + 3 * 52)
    (slow,) = flows("modbus", connection, polled(registers(10), every=60.0))
    assert slow.bytes_per_day == 1440 * (12 + 9 + 20 + 3 * 52)
    (both,) = flows("modbus", connection, polled(registers(10)), polled(registers(10), every=60.0))
    assert both.bytes_per_day == (86_400 + 1440) * (12 + 9 + 20 + 3 * 52)


def test_a_serial_line_is_no_network() -> None:
    (line,) = flows("modbus", ModbusConnection(serial="/dev/ttyUSB0"), polled(registers(10)))
    assert (line.transport, line.peer, line.port) == (Transport.SERIAL, "/dev/ttyUSB0", None)
    assert line.bytes_per_day == 86_400 * (8 + 5 + 20)


def test_bacnet_asks_each_device_and_is_reached_at_its_own_port() -> None:
    addresses = [
        BacnetAddress(object=f"analog-input,{index}", device=device)
        for device in ("10.0.0.20", "10.0.0.21:47809")
        for index in range(5)
    ]
    addresses.append(BacnetAddress(object="analog-input,1", instance=2001))
    connection = BacnetConnection(interface="10.0.0.4/24", port=47810, bbmd="10.1.0.2")
    told = flows("bacnet", connection, polled(addresses))
    assert {(each.peer, each.port) for each in told if each.bytes_per_day} == {
        ("10.0.0.20", 47808),
        ("10.0.0.21", 47809),
        ("device 2001", 47808),
    }
    assert [(each.peer, each.port) for each in told if each.is_inbound] == [("10.0.0.0/24", 47810)]
    assert ("10.0.0.255", 47808) in {(each.peer, each.port) for each in told}
    assert ("10.1.0.2", 47808) in {(each.peer, each.port) for each in told}
    assert {each.transport for each in told} == {Transport.UDP}


def test_opcua_is_encrypted_where_its_channel_is() -> None:
    nodes = polled([OpcuaAddress(node=f"ns=2;i={index}") for index in range(10)])
    (plain,) = flows("opcua", OpcuaConnection(url="opc.tcp://plc:4841/x"), nodes)
    assert (plain.peer, plain.port, plain.encrypted) == ("plc", 4841, False)
    assert plain.bytes_per_day
    sealed = OpcuaConnection(
        url="opc.tcp://plc:4841/x",
        certificate=PEM,
        private_key=PEM,
        server_certificate=PEM,
    )
    (secret,) = flows("opcua", sealed, nodes)
    assert secret.encrypted is True


def test_mqtt_goes_to_the_broker_and_says_what_its_estimate_leans_on() -> None:
    topics = polled([MqttAddress(topic="a", state_topic="b")] * 10)
    (plain,) = flows("mqtt", MqttConnection(host="broker"), topics)
    (sealed,) = flows("mqtt", MqttConnection(host="broker", tls=Tls()), topics)
    assert (plain.peer, plain.port, plain.encrypted) == ("broker", 1883, False)
    assert (sealed.port, sealed.encrypted) == (8883, True)
    assert "once a minute" in plain.note.en
