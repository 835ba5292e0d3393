"""What a site may say of a Modbus link, and what it is told when it says something else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.modbus.connection import ModbusConnection, SerialLine

SERIAL = "/dev/ttyUSB0"


def test_reads_a_site() -> None:
    adapter = TypeAdapter(ModbusConnection)
    assert adapter.validate_python({"host": "10.0.0.7"}) == ModbusConnection("10.0.0.7", 502)
    said = {"serial": SERIAL, "baud_rate": 9600, "parity": "none", "stop_bits": 2}
    assert adapter.validate_python(said).line == SerialLine(SERIAL, 9600, "none", 2)
    with pytest.raises(ValidationError):
        adapter.validate_python({"hots": "h"})


def test_what_is_left_out_is_what_the_standard_says() -> None:
    assert ModbusConnection(serial=SERIAL).line == SerialLine(SERIAL, 19200, "even", 1)
    assert ModbusConnection("10.0.0.7").line is None


@pytest.mark.parametrize(
    "said, wrong, right",
    [
        ({}, "not said where the devices are", "host"),
        ({"host": " gateway"}, "host ' gateway' is no host name", "IP address"),
        ({"host": "h", "port": 0}, "port 0 does not exist", "1 to 65535"),
        ({"host": "h", "timeout": timedelta(0)}, "timeout 0 s is out of range", "60s"),
        ({"host": "h", "baud_rate": 9600}, "baud_rate belongs to a serial line", "serial instead of host"),
        ({"host": "h", "parity": "none"}, "parity belongs to a serial line", "serial instead of host"),
        ({"host": "h", "serial": SERIAL}, "a serial line or a host, not both", "leave out serial"),
        ({"serial": SERIAL, "port": 5020}, "a serial line or a host, not both", "host and port"),
        ({"serial": SERIAL, "framing": "rtu_over_tcp"}, "rtu_over_tcp belongs to a host", "leave framing out"),
        ({"serial": "ttyUSB0"}, "'ttyUSB0' is no path", SERIAL),
        ({"serial": SERIAL, "baud_rate": 9601}, "baud_rate 9601 is not usual", "9600"),
        ({"serial": SERIAL, "stop_bits": 3}, "stop_bits 3 do not exist", "1 or 2"),
    ],
)
def test_says_what_is_wrong_and_what_would_be_right(said: dict[str, Any], wrong: str, right: str) -> None:
    with pytest.raises(ValueError, match=r".+; .+") as caught:
        ModbusConnection(**said)
    told_wrong, _, told_right = str(caught.value).partition("; ")
    assert wrong in told_wrong
    assert right in told_right


@pytest.mark.parametrize(
    "line, gap_ms",
    [
        (SerialLine(SERIAL, 9600, "even", 1), 4.01),
        (SerialLine(SERIAL, 9600, "none", 1), 3.65),
        (SerialLine(SERIAL, 19200, "even", 1), 2.005),
        (SerialLine(SERIAL, 38400, "even", 1), 1.75),
        (SerialLine(SERIAL, 115200, "even", 1), 1.75),
    ],
)
def test_frames_are_three_and_a_half_characters_apart(line: SerialLine, gap_ms: float) -> None:
    assert line.frame_gap * 1000 == pytest.approx(gap_ms, abs=0.01)
