"""BACnet/IP. Loading this costs nothing; bacpypes3 is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from drivers.bacnet.address import BacnetAddress, BacnetConnection


def open_bacnet(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.bacnet.driver import BacnetDriver  # bacpypes3 is heavy: only sites with BACnet pay

    return BacnetDriver(link, connection, bindings, clock)


KIND = DriverKind(
    name="bacnet",
    connection=BacnetConnection,
    address=BacnetAddress,
    device_fields=("device", "instance"),
    open=open_bacnet,
    relinquishes=True,
    carries_text=True,
)
