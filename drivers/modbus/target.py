"""What `tidewatt scan modbus` was asked for: the link, the units on it, the registers of each."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast

from controller.core.discovery import Found, Scan, ScanOption
from controller.core.event import JsonValue
from controller.core.text import Text
from drivers.modbus.address import LAST_REGISTER, LAST_SERIAL_UNIT
from drivers.modbus.connection import STANDARD_PORT, Framing, ModbusConnection, Parity

_NETWORK: Final = re.compile(r"\[?(?P<host>[^\[\]]+?)\]?(?::(?P<port>\d{1,5}))?")
_SPAN: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


class Wish(NamedTuple):
    """connection_said: what devices.yaml says of the link. first, last: registers of each table."""

    connection: ModbusConnection
    connection_said: Mapping[str, JsonValue]
    units: tuple[int, ...]
    first: int
    last: int


def wished(target: str, options: Mapping[str, str]) -> Wish:
    """Raises ValueError, saying what would be right."""
    said = _line(target, options) if target.startswith("/") else _network(target, options)
    timeout = timedelta(seconds=_seconds(options["timeout"]))
    connection = ModbusConnection(timeout=timeout, **cast("dict[str, Any]", said))
    first, last = _span(options["registers"], "registers", LAST_REGISTER)
    return Wish(connection, said, _units(options["units"]), first, last)


def _network(target: str, options: Mapping[str, str]) -> dict[str, JsonValue]:
    found = _NETWORK.fullmatch(target)
    if found is None:
        raise ValueError(f"{target!r} is no host; give HOST, HOST:PORT or the path of a serial line")
    if options["baud-rate"] or options["parity"] or options["stop-bits"]:
        raise ValueError("--baud-rate, --parity and --stop-bits are of a serial line; leave them out, or give its path")
    said: dict[str, JsonValue] = {"host": found["host"]}
    if found["port"] is not None and int(found["port"]) != STANDARD_PORT:
        said["port"] = int(found["port"])
    if options["framing"]:
        said["framing"] = _one_of("framing", options["framing"], ("tcp", "rtu_over_tcp"))
    return said


def _line(target: str, options: Mapping[str, str]) -> dict[str, JsonValue]:
    if options["framing"]:
        raise ValueError("--framing is of a host, and a serial line always speaks RTU; leave it out")
    said: dict[str, JsonValue] = {"serial": target}
    if options["baud-rate"]:
        said["baud_rate"] = _whole("baud-rate", options["baud-rate"])
    if options["parity"]:
        said["parity"] = _one_of("parity", options["parity"], ("none", "even", "odd"))
    if options["stop-bits"]:
        said["stop_bits"] = _whole("stop-bits", options["stop-bits"])
    return said


def _units(text: str) -> tuple[int, ...]:
    units: dict[int, None] = {}
    for part in text.split(","):
        first, last = _span(part.strip(), "units", 255)
        if first == 0 or LAST_SERIAL_UNIT < last != first:
            raise ValueError(f"--units {text} names units that do not exist; give 1 to {LAST_SERIAL_UNIT}, or 255")
        units.update(dict.fromkeys(range(first, last + 1)))
    return tuple(units)


def _span(text: str, option: str, most: int) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    first, last = (0, -1) if found is None else (int(found[1]), int(found[2] or found[1]))
    if not first <= last <= most:
        raise ValueError(f"--{option} {text} is no span; give one such as 1-{min(most, 99)}")
    return first, last


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    seconds = math.nan if found is None else float(found[1]) / (1000 if found[2] == "ms" else 1)
    if not 0 < seconds <= 60:
        raise ValueError(f"--timeout {text} is no such time; give one such as 500ms or 2s, at most 60s")
    return seconds


def _whole(option: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"--{option} {text} is no number; give one such as 9600")
    return int(text)


def _one_of(option: str, text: str, choices: tuple[Framing, ...] | tuple[Parity, ...]) -> str:
    if text not in choices:
        raise ValueError(f"--{option} {text} does not exist; give {', '.join(choices)}")
    return text


async def _discover(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    wish = wished(target, options)
    from drivers.modbus.scan import discover  # pymodbus costs 46 MB: only who scans pays

    async with aclosing(discover(wish)) as findings:
        async for found in findings:
            yield found


SCAN: Final = Scan(
    target=Text("HOST[:PORT], or the path of a serial line", "主机[:端口], 或串口设备路径"),
    example="10.0.0.7:502 --units 1-20",
    options=(
        ScanOption("units", "1-247", Text("which unit ids are asked", "要询问的单元号"), f"1-{LAST_SERIAL_UNIT}"),
        ScanOption("registers", "0-999", Text("where is looked in each table", "每张表的查找范围"), "0-999"),
        ScanOption("timeout", "1s", Text("what a unit may take to answer", "单元应答的时限"), "1s"),
        ScanOption("framing", "rtu_over_tcp", Text("for serial frames over TCP", "TCP 上的 RTU 帧")),
        ScanOption("baud-rate", "9600", Text("of a serial line; 19200 if left out", "串口波特率, 默认 19200")),
        ScanOption("parity", "none|even|odd", Text("of a serial line; even if left out", "串口校验, 默认 even")),
        ScanOption("stop-bits", "1|2", Text("of a serial line; 1 if left out", "串口停止位, 默认 1")),
    ),
    discover=_discover,
)
