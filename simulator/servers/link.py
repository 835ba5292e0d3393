"""What a server serves. Loading this costs nothing: commands name links long before a server is opened.

Which equipment is behind which protocol the site's own devices.yaml says: a link is served as it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from controller.core.point import Binding
from drivers.bacnet.address import BacnetAddress
from drivers.modbus.address import ModbusAddress
from drivers.mqtt.address import MqttAddress, MqttConnection
from drivers.opcua.address import OpcuaAddress


@dataclass(frozen=True, slots=True)
class ModbusLink:
    """A TCP port (0: a free one) and what is behind it."""

    name: str
    host: str
    port: int
    bindings: Sequence[Binding[ModbusAddress]]


@dataclass(frozen=True, slots=True)
class SerialLink:
    """A serial line: one end of a pseudo terminal at `path`. character_s: what a character takes on it [s]."""

    name: str
    path: str
    character_s: float
    bindings: Sequence[Binding[ModbusAddress]]


@dataclass(frozen=True, slots=True)
class BacnetLink:
    """Devices on BACnet/IP, each at the place that its bindings say."""

    name: str
    bindings: Sequence[Binding[BacnetAddress]]


@dataclass(frozen=True, slots=True)
class OpcuaLink:
    """One server. url: where it is asked."""

    name: str
    url: str
    bindings: Sequence[Binding[OpcuaAddress]]


@dataclass(frozen=True, slots=True)
class MqttLink:
    """Gateways at a broker that somebody else runs. connection: how the broker is reached."""

    name: str
    connection: MqttConnection
    bindings: Sequence[Binding[MqttAddress]]


ServedLink: TypeAlias = ModbusLink | SerialLink | BacnetLink | OpcuaLink | MqttLink


class LinkServer(Protocol):
    """One link with its devices."""

    @property
    def is_in_use(self) -> bool:
        """Whether somebody is there, or was cut off on purpose."""
        ...

    async def open(self) -> int:
        """Serve from now on. Returns the port, 0 where there is none. Raises OSError where that is impossible."""
        ...

    async def follow(self) -> None:
        """Called several times a second: do what is done unasked, and what goes wrong with the link itself."""
        ...

    async def close(self) -> None:
        """Hang up. Closing twice is fine."""
        ...
