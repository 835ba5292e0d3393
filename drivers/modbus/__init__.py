"""Modbus TCP and RTU. Loading this costs nothing; pymodbus is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.flows import flows
from drivers.modbus.target import SCAN


def open_modbus(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.modbus.driver import ModbusDriver  # pymodbus costs 46 MB: only sites with Modbus pay

    return ModbusDriver(link, connection, bindings, clock)


KIND = DriverKind(
    name="modbus",
    connection=ModbusConnection,
    address=ModbusAddress,
    device_fields=("unit", "gap", "rate", "maximum_registers"),
    open=open_modbus,
    scan=SCAN,
    flows=flows,
)
