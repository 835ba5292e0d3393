"""What a BOPTEST server offers: its test cases, or the inputs and measurements of one."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

from controller.core.discovery import Found, FoundDevice, FoundPoint
from controller.core.errors import ProtocolViolation
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from controller.core.units import DEVICE_UNITS
from drivers.boptest.address import INPUT_SUFFIX, BoptestConnection
from drivers.boptest.client import Client
from drivers.boptest.running import Signal

_TIMEOUT: Final = timedelta(minutes=5)
# Modelica's spelling of a unit -> the one in which a point of ours is declared, where templates have another.
_DECLARED: Final = {"K": "degC", "1": "fraction", "J": "kWh", "m3/s": "kg/s"}
_NO_UNIT: Final = "none"


async def scan(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    """Raises ValueError for a target or case that cannot be, DeviceError where the server cannot be reached."""
    url = target if "://" in target else f"http://{target}"
    connection = BoptestConnection(url, options["case"])
    client = Client("scan", connection.url, _TIMEOUT)
    try:
        cases = [] if connection.test_case else await _cases(client)
        if cases:
            for case in cases:
                said: dict[str, JsonValue] = {"url": url, "test_case": case}
                yield FoundDevice(case.lower(), said, {}, f"test case; what it has is told with --case {case}")
            return
        async for found in _case(client, connection):
            yield found
    finally:
        client.close()


async def _cases(client: Client) -> list[str]:
    """Empty where the server is one case itself."""
    try:
        listed: Any = await client.get("testcases")
    except ProtocolViolation:
        return []
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    tables = [cast("dict[str, Any]", each) for each in entries if isinstance(each, dict)]
    return [str(table["testcaseid"]) for table in tables if "testcaseid" in table]


async def _case(client: Client, connection: BoptestConnection) -> AsyncGenerator[Found]:
    """The case is looked at and not begun: somebody's test may run there."""
    test = connection.test
    await test.choose(client)
    try:
        await test.look(client)
        said: dict[str, JsonValue] = {"url": connection.url}
        if connection.test_case:
            said["test_case"] = connection.test_case
        name = _snake_case(test.name) or "case"
        yield FoundDevice(name, said, {}, f"BOPTEST test case {test.name}")
        for each, signal in _listed(test.inputs):
            if each.endswith(INPUT_SUFFIX):
                yield _point(name, each, signal, PointKind.SETPOINT, {"input": each})
        for each, signal in _listed(test.measurements):
            yield _point(name, each, signal, PointKind.SENSOR, {"measurement": each})
    finally:
        await test.end(client)


def _listed(signals: Mapping[str, Signal]) -> Iterable[tuple[str, Signal]]:
    return sorted(signals.items())


def _point(device: str, name: str, signal: Signal, kind: PointKind, address: Mapping[str, JsonValue]) -> FoundPoint:
    unit = _DECLARED.get(signal.unit, signal.unit if signal.unit in DEVICE_UNITS else _NO_UNIT)
    ends = "" if signal.low is None or signal.high is None else f" [{signal.low:g} to {signal.high:g} {signal.unit}]"
    return FoundPoint(device, _snake_case(name), kind, ValueType.NUMBER, unit, address, signal.title + ends, "")


def _snake_case(name: str) -> str:
    """reaTRooAir_y -> rea_t_roo_air_y."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
