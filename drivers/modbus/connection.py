"""How a link reaches its devices: over TCP, over TCP with the frames of a serial line, or over a serial line itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final, Literal, TypeAlias

Framing: TypeAlias = Literal["tcp", "rtu_over_tcp"]
Parity: TypeAlias = Literal["none", "even", "odd"]

STANDARD_PORT: Final = 502
BAUD_RATES: Final = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)

# MODBUS over Serial Line V1.02, 2.5.1: what a device does unless it is told otherwise.
STANDARD_BAUD_RATE: Final = 19200
STANDARD_PARITY: Final = "even"
# The same, 2.5.1.1: frames are 3.5 characters of silence apart; above 19200 bit/s 1.75 ms.
GAP_CHARACTERS: Final = 3.5
SHORTEST_GAP_S: Final = 0.00175


@dataclass(frozen=True, slots=True)
class SerialLine:
    """path: the tty. baud_rate: bit/s. A character has eight data bits."""

    path: str
    baud_rate: int
    parity: Parity
    stop_bits: int

    @property
    def frame_gap(self) -> float:
        """Seconds of silence before a frame."""
        return SHORTEST_GAP_S if self.baud_rate > 19200 else self.seconds_of(GAP_CHARACTERS)

    def seconds_of(self, characters: float) -> float:
        bits = 1 + 8 + (self.parity != "none") + self.stop_bits
        return characters * bits / self.baud_rate


@dataclass(frozen=True, slots=True)
class ModbusConnection:
    """host, port and framing; or serial, baud_rate, parity and stop_bits.

    timeout: what a device may take to answer one request, the time on a serial line not counted. One second is the
    least that the serial-line guide gives a device at 9600 bit/s (MODBUS over Serial Line V1.02, 2.4.1: "from 1s to
    several second"), and gateways to serial lines are common on TCP.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    host: str = ""
    port: int = STANDARD_PORT
    timeout: timedelta = timedelta(seconds=1)
    framing: Framing = "tcp"
    serial: str = ""
    baud_rate: int | None = None
    parity: Parity | None = None
    stop_bits: int | None = None

    def __post_init__(self) -> None:
        problem = self._line_problem() if self.serial else self._network_problem()
        if problem:
            raise ValueError(problem)
        if not timedelta(0) < self.timeout <= timedelta(seconds=60):
            seconds = self.timeout.total_seconds()
            raise ValueError(f"timeout {seconds:g} s is out of range; give more than 0 and at most 60s")

    @property
    def line(self) -> SerialLine | None:
        """The serial line with what was left out filled in; None for a link over TCP."""
        if not self.serial:
            return None
        parity = self.parity or STANDARD_PARITY
        return SerialLine(self.serial, self.baud_rate or STANDARD_BAUD_RATE, parity, self.stop_bits or 1)

    @property
    def is_rtu(self) -> bool:
        """Whether frames are those of a serial line: an answer does not say which question it answers."""
        return bool(self.serial) or self.framing == "rtu_over_tcp"

    def _network_problem(self) -> str:
        if not self.host:
            return "it is not said where the devices are; give a host, or the serial line (serial: /dev/ttyUSB0)"
        if self.host != self.host.strip():
            return f"host {self.host!r} is no host name; give a name or an IP address"
        if not 1 <= self.port <= 65535:
            return f"port {self.port} does not exist; give 1 to 65535 (Modbus TCP: {STANDARD_PORT})"
        for name, said in (("baud_rate", self.baud_rate), ("parity", self.parity), ("stop_bits", self.stop_bits)):
            if said is not None:
                return f"{name} belongs to a serial line, and host to a network; say serial instead of host"
        return ""

    def _line_problem(self) -> str:
        if self.host or self.port != STANDARD_PORT:
            return "a link is a serial line or a host, not both; leave out serial, or host and port"
        if self.framing != "tcp":
            return f"{self.framing} belongs to a host, and a serial line always speaks RTU; leave framing out"
        if not self.serial.startswith("/"):
            return f"serial {self.serial!r} is no path of a serial line; give one such as /dev/ttyUSB0"
        if self.baud_rate is not None and self.baud_rate not in BAUD_RATES:
            rates = ", ".join(map(str, BAUD_RATES))
            return f"baud_rate {self.baud_rate} is not usual for Modbus; give one of {rates}"
        if self.stop_bits not in (None, 1, 2):
            return f"stop_bits {self.stop_bits} do not exist; give 1 or 2"
        return ""
