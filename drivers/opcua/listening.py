"""The subscriptions of one session: made, and made anew where one was refused or has gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Sample
from drivers.opcua.client import Session
from drivers.opcua.errors import Garbled, Refused
from drivers.opcua.sampling import OpcuaBinding, Sampling
from drivers.opcua.subscription import Subscription

if TYPE_CHECKING:
    from asyncua import ua

# Urgent points are told this fast (design: an early scan at most every 100 ms).
_URGENT_EVERY: Final = timedelta(milliseconds=100)
# A server that refused a subscription is asked again after this long, in seconds.
_AGAIN: Final = 60.0
# A point that was written is asked for until the subscription must have told it, so many seconds beyond its interval.
_TOLD_BY_THEN: Final = 2.0

Told = Callable[[Mapping[PointId, Sample]], None]


class Listening:
    """most: how many nodes the server takes in one request. every: how often ordinary points are told."""

    def __init__(self, session: Session, sampling: Sampling, clock: Clock, most: int, every: timedelta) -> None:
        self._session = session
        self._sampling = sampling
        self._clock = clock
        self._most = most
        self._every = every
        self._groups: dict[timedelta, Sequence[tuple[OpcuaBinding, ua.NodeId]]] = {}
        self._subscriptions: dict[timedelta, Subscription] = {}
        self._again_at = 0.0
        self._written: dict[PointId, float] = {}

    async def start(self, items: Sequence[tuple[OpcuaBinding, ua.NodeId]], tell: Told) -> None:
        """Have the server tell what it is willing to; what it is not is to be asked for. Raises DeviceError."""
        self._tell = tell
        fast = min(self._every, _URGENT_EVERY)
        for binding, node in items:
            if binding.address.subscribe:
                interval = fast if binding.point.urgent else self._every
                self._groups[interval] = [*self._groups.get(interval, ()), (binding, node)]
        await self._subscribe()

    async def keep_up(self) -> None:
        """Where a subscription was refused or has gone, try anew, at most once a minute."""
        if self._clock.wire_time() < self._again_at or all(map(self._is_alive, self._groups)):
            return
        await self._subscribe()

    async def _subscribe(self) -> None:
        self._again_at = self._clock.wire_time() + _AGAIN
        for interval, items in self._groups.items():
            if self._is_alive(interval):
                continue
            gone = self._subscriptions.pop(interval, None)
            subscription = Subscription(self._session, interval, self._sampling, self._clock, self._tell)
            with suppress(Refused, Garbled):
                if gone is not None:
                    await gone.end()
            with suppress(Refused, Garbled):
                await subscription.start(items, self._most)
                self._subscriptions[interval] = subscription

    def _is_alive(self, interval: timedelta) -> bool:
        subscription = self._subscriptions.get(interval)
        return subscription is not None and subscription.is_alive

    def note_write(self, point: PointId) -> None:
        """For a while what is told of the point may be from before the write."""
        self._written[point] = self._clock.wire_time() + self._every.total_seconds() + _TOLD_BY_THEN

    def written(self) -> Collection[PointId]:
        """The points that were written a moment ago."""
        now = self._clock.wire_time()
        self._written = {point: until for point, until in self._written.items() if until > now}
        return self._written

    def told(self, points: Collection[PointId]) -> dict[PointId, Sample]:
        """What the server stands behind; nothing of a point of which it has said nothing, or nothing lately."""
        alive = [subscription for subscription in self._subscriptions.values() if subscription.is_alive]
        written = self.written()
        samples: dict[PointId, Sample] = {}
        for subscription in alive:
            for point in points:
                sample = subscription.sample(point)
                if sample is not None and point not in written:
                    samples[point] = sample
        return samples
