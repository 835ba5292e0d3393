"""OPC UA over TCP. Loading this costs nothing; asyncua is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from drivers.opcua.address import OpcuaAddress, OpcuaConnection


def open_opcua(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.opcua.driver import OpcuaDriver  # asyncua costs 77 MB: only sites with OPC UA pay

    return OpcuaDriver(link, connection, bindings, clock)


KIND = DriverKind(
    name="opcua",
    connection=OpcuaConnection,
    address=OpcuaAddress,
    device_fields=("prefix",),
    open=open_opcua,
    carries_text=True,
)
