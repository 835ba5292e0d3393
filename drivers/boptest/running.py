"""A test that runs at a BOPTEST server: where it stands, what it offers, what it is told.

Requests after the project's documentation of its REST API (ibpsa/project1-boptest, README, "RESTful HTTP API").
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeGuard, cast

from controller.core.errors import DeviceError, DeviceRefused, ProtocolViolation
from controller.core.event import JsonValue
from drivers.boptest.client import Client

ACTIVATE: Final = "_activate"
# Times of a case are seconds of its year; finer than this they are the same.
_SAME_TIME: Final = 1e-3
_DAY: Final = 86400.0


class Signal(NamedTuple):
    """What the case says of an input, a measurement or a forecast. unit, title: "" where it says none."""

    unit: str
    low: float | None
    high: float | None
    title: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a test begins. scenario: a time period of the case, which brings start and warm-up with it; "" for none.

    price: constant, dynamic, highly_dynamic; "" for the case's own. start: seconds from the beginning of the year.
    warmup: how long the case runs under its own controls before.
    """

    scenario: str = ""
    price: str = ""
    start: float = 0.0
    warmup: timedelta = timedelta(0)


@dataclass
class RunningTest:
    """It outlives the connection. state: what the case said last, in its own units. wishes: what each input that was
    ever ours is told, None where its own control has it again. failure: what first kept the case from going on.
    """

    test_case: str = ""
    name: str = ""
    version: str = ""
    test_id: str = ""
    time: float = 0.0
    inputs: Mapping[str, Signal] = field(default_factory=dict[str, Signal])
    measurements: Mapping[str, Signal] = field(default_factory=dict[str, Signal])
    forecasts: Mapping[str, Signal] = field(default_factory=dict[str, Signal])
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    wishes: dict[str, float | None] = field(default_factory=dict[str, "float | None"])
    failure: DeviceError | None = None
    _step: float | None = None
    _origin: datetime | None = None

    @property
    def has_begun(self) -> bool:
        return self._origin is not None

    def time_at(self, now: datetime) -> float:
        """The case's seconds at that wall time."""
        assert self._origin is not None
        return (now - self._origin).total_seconds()

    # --- its life

    async def begin(self, client: Client, plan: Plan, year: datetime) -> None:
        """Begin anew. year: our clock's time at the case's second 0. Raises DeviceError."""
        await self.choose(client)
        self.failure, self._step = None, None
        self.wishes.clear()
        self.version = await self._asked_version(client)
        await self.look(client)
        self._take(client, await self._initial(client, plan), is_first=True)
        self._origin = year

    async def choose(self, client: Client) -> None:
        """Which case it is; where the server has many, a test of it is opened. Raises DeviceError."""
        if self.test_case and not self.test_id:
            self.test_id = await self._selected(client)
        self.name = str(_table(client, "name", await client.get(self._path("name"))).get("name", ""))

    async def _selected(self, client: Client) -> str:
        payload = _table(client, "testcases", await client.post(f"testcases/{self.test_case}/select", {}))
        test_id = payload.get("testid")
        if not isinstance(test_id, str) or not test_id.replace("-", "").isalnum():
            raise ProtocolViolation(client.link, "select", f"{str(test_id)[:80]!r} is no test id")
        return test_id

    async def _asked_version(self, client: Client) -> str:
        """The one request that no test id follows; some servers do not know it."""
        try:
            return str(_table(client, "version", await client.get("version")).get("version", "")).strip()
        except ProtocolViolation:
            return ""

    async def _initial(self, client: Client, plan: Plan) -> Any:
        scenario: dict[str, JsonValue] = {}
        if plan.price:
            scenario["electricity_price"] = plan.price
        if plan.scenario:
            scenario["time_period"] = plan.scenario
        if scenario:
            payload = _table(client, "scenario", await client.put(self._path("scenario"), scenario))
            if plan.scenario:
                return payload.get("time_period")
        body: dict[str, JsonValue] = {"start_time": plan.start, "warmup_period": plan.warmup.total_seconds()}
        return await client.put(self._path("initialize"), body)

    async def look(self, client: Client) -> None:
        """Ask again what the case offers."""
        await self.look_at_inputs(client)
        self.measurements = _signals(client, "measurements", await client.get(self._path("measurements")))

    async def look_at_inputs(self, client: Client) -> None:
        self.inputs = _signals(client, "inputs", await client.get(self._path("inputs")))

    async def look_at_forecasts(self, client: Client) -> None:
        self.forecasts = _signals(client, "forecast_points", await client.get(self._path("forecast_points")))

    async def look_again(self, client: Client) -> None:
        """After the connection was lost: is it still the same test? Raises DeviceError."""
        name = str(_table(client, "name", await client.get(self._path("name"))).get("name", ""))
        if name != self.name:
            raise DeviceRefused(client.link, "connect", f"the server has {name[:80]!r} now, not {self.name!r}")

    async def end(self, client: Client) -> None:
        """Where the server has many tests, it need not keep this one. Raises DeviceError."""
        if self.test_id:
            test_id, self.test_id = self.test_id, ""
            await client.ask("PUT", f"stop/{test_id}", is_bare=True)

    # --- its time

    async def advance(self, client: Client, to: float) -> bool:
        """Simulate until the case's second `to`; answers whether it moved. Raises DeviceError."""
        step = round(to - self.time, 6)
        if step < _SAME_TIME:
            return False
        if step != self._step:
            self._step = None
            await client.put(self._path("step"), {"step": step})
            self._step = step
        payload = await client.post(self._path("advance"), self._told())
        if payload == {}:
            raise ProtocolViolation(client.link, "advance", "the scenario's time period is over")
        self._take(client, payload, is_first=False)
        return True

    def _told(self) -> dict[str, JsonValue]:
        """An input that is not named keeps what it was told last: what is released is told so in every step."""
        told: dict[str, JsonValue] = {}
        for name, value in self.wishes.items():
            told[name.removesuffix("_u") + ACTIVATE] = int(value is not None)
            if value is not None:
                told[name] = value
        return told

    def _take(self, client: Client, payload: Any, *, is_first: bool) -> None:
        operation = "initialize" if is_first else "advance"
        state = _table(client, operation, payload)
        time = state.get("time")
        if not _is_number(time):
            raise ProtocolViolation(client.link, operation, f"the state of the case has no time but {str(time)[:80]}")
        if not is_first and time < self.time - _SAME_TIME:
            cause = f"the case stands at {time:g} s again, before {self.time:g} s: somebody began it anew"
            raise DeviceRefused(client.link, operation, cause)
        self.state, self.time = state, float(time)

    # --- what it tells besides

    async def kpis(self, client: Client) -> dict[str, float | None]:
        """Since the test began. None where the case has no such figure. Raises DeviceError."""
        payload = _table(client, "kpi", await client.get(self._path("kpi")))
        return {name: float(value) if _is_number(value) else None for name, value in payload.items()}

    async def results(self, client: Client, names: Sequence[str], start: float, end: float) -> list[list[Any]]:
        """What the case stored from `start` to `end` or its present: rows of its time and a value for each name, in
        its own units. Raises DeviceError."""
        body: dict[str, JsonValue] = {
            "point_names": [*names],
            "start_time": start,
            "final_time": min(end, self.time),
        }
        series = _lists(client, "results", await client.put(self._path("results"), body))
        columns = [series.get(name, []) for name in ("time", *names)]
        if len({len(column) for column in columns}) != 1 or not all(map(_is_number, columns[0])):
            raise ProtocolViolation(client.link, "results", "series that do not belong to each other")
        return [[*row] for row in zip(*columns, strict=True)]

    async def ahead(
        self, client: Client, names: Collection[str], horizon: float, interval: float
    ) -> Mapping[str, list[JsonValue]]:
        """The case's forecast from its present on, with its `time`. Raises DeviceError."""
        body: dict[str, JsonValue] = {"point_names": [*names], "horizon": horizon, "interval": interval}
        return _lists(client, "forecast", await client.put(self._path("forecast"), body))

    def _path(self, request: str) -> str:
        return f"{request}/{self.test_id}" if self.test_id else request


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _table(client: Client, operation: str, payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise ProtocolViolation(client.link, operation, f"no table of names and values but {str(payload)[:80]}")
    return cast("dict[str, Any]", payload)


def _lists(client: Client, operation: str, payload: Any) -> dict[str, list[JsonValue]]:
    table = _table(client, operation, payload)
    if not all(isinstance(values, list) for values in table.values()):
        raise ProtocolViolation(client.link, operation, "values that are no series")
    return table


def _signals(client: Client, operation: str, payload: Any) -> dict[str, Signal]:
    return {name: _signal(said) for name, said in _table(client, operation, payload).items()}


def _signal(said: Any) -> Signal:
    table: dict[str, Any] = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    low, high = (float(table[end]) if _is_number(table.get(end)) else None for end in ("Minimum", "Maximum"))
    unit, title = (table[each] if isinstance(table.get(each), str) else "" for each in ("Unit", "Description"))
    return Signal(unit, low, high, title)
