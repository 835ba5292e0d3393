"""A BOPTEST test case as a driver: its time passes only when it is told, so it is `Stepped`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from controller.core.errors import ConnectFailed, DeviceError
from controller.core.point import Binding, PointId
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Sample, Scalar, bad, good
from controller.core.units import Linear
from drivers.boptest.address import BoptestAddress, BoptestConnection
from drivers.boptest.client import Client
from drivers.boptest.codec import conversion_of, decoded, encoded, why_clipped
from drivers.boptest.running import Plan, RunningTest, Signal
from drivers.limits import why_doubted, why_refused

UNBOUND = "no such point on this link"
# The least that a forecast is asked for; its first value is of the present.
_LEAST_AHEAD_S = 3600


class Place(NamedTuple):
    """Where the case has a point's value. trouble: why it has none; empty where it has."""

    signal: Signal
    conversion: Linear
    trouble: str


class BoptestDriver:
    def __init__(
        self, link: str, connection: BoptestConnection, bindings: Sequence[Binding[BoptestAddress]], clock: Clock
    ) -> None:
        self._link = link
        self._connection = connection
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._clock = clock
        self._test = connection.test
        self._client: Client | None = None
        self._places: dict[PointId, Place] = {}
        self._ahead: dict[tuple[str, int], Any] = {}

    async def __aenter__(self) -> Self:
        client = Client(self._link, self._connection.url, self._connection.timeout, self._clock.outside)
        try:
            if not self._test.has_begun:
                await self._test.begin(client, Plan(), self._clock.now())
            else:
                await self._test.look_again(client)
            if self._forecast():
                await self._test.look_at_forecasts(client)
            self._places = {id_: place_of(binding, self._test) for id_, binding in self._bindings.items()}
            await self._look_ahead(client)
        except BaseException:
            client.close()
            raise
        self._client = client
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # --- time

    async def advance(self) -> None:
        client = self._connected("advance")
        try:
            if await self._test.advance(client, self._test.time_at(self._clock.now())):
                await self._look_ahead(client)
        except DeviceError as error:
            self._test.failure = self._test.failure or error
            raise

    def _forecast(self) -> list[BoptestAddress]:
        return [each.address for each in self._bindings.values() if each.address.forecast]

    async def _look_ahead(self, client: Client) -> None:
        """What the case forecasts from now on, for all points in one request."""
        asked = [each for each in self._forecast() if each.forecast in self._test.forecasts]
        if not asked:
            return
        seconds = {int(each.ahead.total_seconds()) for each in asked}
        interval = math.gcd(*seconds) or _LEAST_AHEAD_S
        names = sorted({each.forecast for each in asked})
        series = await self._test.ahead(client, names, max(*seconds, interval), interval)
        self._ahead = {
            (name, ahead): series[name][ahead // interval]
            for name in names
            for ahead in seconds
            if len(series.get(name, ())) > ahead // interval
        }

    # --- values

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        """What the case said when it was last brought forward."""
        self._connected("read")
        return {point: self._sample(point) for point in points}

    def _sample(self, point: PointId) -> Sample:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        binding = self._bindings.get(point)
        if binding is None:
            return bad(UNBOUND, now, monotonic)
        place = self._places[point]
        if place.trouble:
            return bad(place.trouble, now, monotonic)
        value = decoded(binding.point, self._raw(binding.address), place.conversion)
        if value is None:
            return bad("the test case gives no number", now, monotonic)
        doubt = why_doubted(value, binding.point.plausible)
        return bad(doubt, now, monotonic) if doubt else good(value, now, monotonic)

    def _raw(self, address: BoptestAddress) -> Any:
        if address.forecast:
            return self._ahead.get((address.forecast, int(address.ahead.total_seconds())))
        return self._test.state.get(address.name)

    # --- wishes

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """The case takes them with its next step; until then it is asked whether it is there and has such an input."""
        try:
            client = self._connected("write")
            await self._test.look_at_inputs(client)
        except DeviceError as error:
            return {point: WriteResult(False, str(error)) for point in values}
        return {point: self._wish(point, value) for point, value in values.items()}

    def _wish(self, point: PointId, value: Scalar | None) -> WriteResult:
        binding = self._bindings.get(point)
        if binding is None:
            return WriteResult(False, UNBOUND)
        if reason := why_refused(binding.point, value):
            return WriteResult(False, reason)
        place = place_of(binding, self._test)
        if place.trouble:
            return WriteResult(False, place.trouble)
        if value is None:
            self._test.wishes[binding.address.input] = None
            return WriteResult(True)
        raw = encoded(value, place.conversion)
        self._test.wishes[binding.address.input] = raw
        return WriteResult(True, why_clipped(raw, place.signal))

    def _connected(self, operation: str) -> Client:
        if self._client is None:
            raise ConnectFailed(self._link, operation, "not connected")
        return self._client


def place_of(binding: Binding[BoptestAddress], test: RunningTest) -> Place:
    address = binding.address
    kinds = {"measurement": test.measurements, "input": test.inputs, "forecast": test.forecasts}
    kind = "input" if address.input else "forecast" if address.forecast else "measurement"
    signal = kinds[kind].get(address.name)
    if signal is None:
        nothing = Signal("", None, None, "")
        return Place(nothing, Linear(1.0, 0.0), f"the test case {test.name} has no {kind} {address.name}")
    conversion = conversion_of(binding.point, signal)
    if conversion is None:
        trouble = f"the test case gives {address.name} in {signal.unit}, which is no {binding.point.unit}"
        return Place(signal, Linear(1.0, 0.0), trouble)
    return Place(signal, conversion, "")


def misplaced(bindings: Iterable[Binding[BoptestAddress]], test: RunningTest) -> list[str]:
    """What the case does not have as the site says, point by point."""
    places = {binding.point.id: place_of(binding, test) for binding in bindings}
    return [f"{point}: {place.trouble}" for point, place in places.items() if place.trouble]
