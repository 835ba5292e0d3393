"""BOPTEST test cases over their REST API. Loading this costs nothing; HTTP is imported when a link is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from controller.core.discovery import Found, Scan, ScanOption
from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from controller.core.text import Text
from drivers.boptest.address import BoptestAddress, BoptestConnection
from drivers.boptest.flows import flows


def open_boptest(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.boptest.driver import BoptestDriver  # HTTP and TLS: only who opens a link pays

    return BoptestDriver(link, connection, bindings, clock)


def discover(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    from drivers.boptest.scan import scan

    return scan(target, options)


SCAN: Final = Scan(
    target=Text("a server's address: http://10.0.0.20:80", "服务器地址：http://10.0.0.20:80"),
    example="http://10.0.0.20:80 --case bestest_air --output my-case",
    options=(
        ScanOption(
            "case",
            "NAME",
            Text(
                "the test case to select; left out, the server's are listed, or it is one itself",
                "要选择的测试案例；省略时列出服务器上的案例，或服务器本身即一个案例",
            ),
        ),
    ),
    discover=discover,
)

KIND: Final = DriverKind(
    name="boptest",
    connection=BoptestConnection,
    address=BoptestAddress,
    device_fields=(),
    open=open_boptest,
    relinquishes=True,
    is_stepped=True,
    scan=SCAN,
    flows=flows,
)
