"""What a server serves. Loading this costs nothing: commands name links long before a server is opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.point import Binding
from drivers.modbus.address import ModbusAddress


@dataclass(frozen=True, slots=True)
class ServedLink:
    """A TCP port (0: a free one) and what is behind it."""

    name: str
    host: str
    port: int
    bindings: Sequence[Binding[ModbusAddress]]
