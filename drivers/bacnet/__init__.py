"""BACnet/IP. Loading this costs nothing; bacpypes3 is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from controller.core.discovery import Found, Scan, ScanOption
from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from controller.core.text import Text
from drivers.bacnet.address import PORT, BacnetAddress, BacnetConnection
from drivers.bacnet.flows import flows


def open_bacnet(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.bacnet.driver import BacnetDriver  # bacpypes3 is heavy: only sites with BACnet pay

    return BacnetDriver(link, connection, bindings, clock)


def discover(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    from drivers.bacnet.scan import scan

    return scan(target, options)


SCAN: Final = Scan(
    target=Text(
        "a subnet whose devices are asked all at once (10.0.0.0/24), or one device (10.0.0.20, 10.0.0.20:47809, "
        "5:12@10.0.0.2 behind a router)",
        "子网（同时询问全部设备，如 10.0.0.0/24）或单个设备（10.0.0.20、10.0.0.20:47809，路由器之后为 5:12@10.0.0.2）",
    ),
    example="10.0.0.0/24 --range 1000-1999",
    options=(
        ScanOption(
            "port", "PORT", Text("our own UDP port; 0 for any free one", "本机 UDP 端口；0 为任一空闲端口"), str(PORT)
        ),
        ScanOption("range", "LOW-HIGH", Text("only devices with these numbers", "只询问此范围内的设备号")),
        ScanOption("bbmd", "ADDRESS", Text("ask as a foreign device of this BBMD", "作为该 BBMD 的外部设备询问")),
        ScanOption("wait", "SECONDS", Text("how long devices may take to answer", "等待设备应答的时间"), "3"),
    ),
    discover=discover,
)

KIND: Final = DriverKind(
    name="bacnet",
    connection=BacnetConnection,
    address=BacnetAddress,
    device_fields=("device", "instance"),
    open=open_bacnet,
    relinquishes=True,
    carries_text=True,
    scan=SCAN,
    flows=flows,
)
