"""OPC UA over TCP. Loading this costs nothing; asyncua is imported when the first link is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from controller.core.discovery import Found, Scan, ScanOption
from controller.core.point import Binding
from controller.core.ports import Clock, Driver, DriverKind
from controller.core.text import Text
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.flows import flows


def open_opcua(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
    from drivers.opcua.driver import OpcuaDriver  # asyncua costs 77 MB: only sites with OPC UA pay

    return OpcuaDriver(link, connection, bindings, clock)


def discover(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    from drivers.opcua.scan import scan

    return scan(target, options)


SCAN: Final = Scan(
    target=Text(
        "a server: opc.tcp://10.0.0.9:4840/path, or only its address", "服务器：opc.tcp://10.0.0.9:4840/path，或仅地址"
    ),
    example="opc.tcp://10.0.0.9:4840 --user tidewatt --password-file secrets/plc",
    options=(
        ScanOption("user", "NAME", Text("log in as this user", "以此用户登录")),
        ScanOption("password-file", "FILE", Text("a file with the user's password", "存放该用户密码的文件")),
        ScanOption(
            "security",
            "none|sign|sign_and_encrypt",
            Text("how the channel is protected; left out, by what is given", "通道保护方式；省略时按所给证书决定"),
        ),
        ScanOption(
            "certificate",
            "FILE",
            Text(
                "our own certificate, PEM; made where neither it nor its key is there",
                "本机证书（PEM）；证书与私钥都不存在时自动生成",
            ),
        ),
        ScanOption("private-key", "FILE", Text("the key that belongs to it, PEM", "与证书配套的私钥（PEM）")),
        ScanOption(
            "trusted",
            "FOLDER",
            Text(
                "certificates of servers that we trust; an unknown one is laid into its folder rejected",
                "受信任的服务器证书；未知证书放入其下的 rejected 文件夹",
            ),
        ),
        ScanOption("from", "NODE", Text("start below this node instead of at Objects", "从此节点而不是 Objects 开始")),
    ),
    discover=discover,
)

KIND: Final = DriverKind(
    name="opcua",
    connection=OpcuaConnection,
    address=OpcuaAddress,
    device_fields=("prefix",),
    open=open_opcua,
    carries_text=True,
    scan=SCAN,
    flows=flows,
)
