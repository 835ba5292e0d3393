"""What a server tells by itself: the values of one subscription, and since when nothing was heard of it.

A server that is well sends a keep-alive where nothing has changed (OPC UA Part 4, 5.14.1.1). As long as they come, an
unchanged value is still true; a value is therefore as old as the last message of its subscription, whatever was in it.
"""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Sample
from drivers.opcua.client import Session
from drivers.opcua.codec import credible_time, quality_of, status_name
from drivers.opcua.errors import Garbled, Refused
from drivers.opcua.sampling import Judged, OpcuaBinding, Sampling

# A keep-alive is due after this long, so that what a silent server once said does not pass as true for long.
_KEEPALIVE_SECONDS: Final = 2.0
# The server forgets a subscription after this long without us.
_LIFETIME_SECONDS: Final = 60.0
# However rarely a server is willing to send keep-alives, what it said is not taken as true for longer than this.
_LONGEST_SILENCE: Final = 10.0
# Missing one keep-alive is an accident.
_MISSED: Final = 3.0
# A server that looks at a value more rarely than this is asked instead.
_LONGEST_SAMPLING: Final = 5.0
_LAST_SEQUENCE: Final = 2**32 - 1


class Heard(NamedTuple):
    """When the server was last heard of: on its wire, for people and for ages."""

    wire_time: float
    now: datetime
    monotonic: float


class Subscription:
    """One subscription: the values that it brings, by point. `tell` hears of every change."""

    def __init__(
        self,
        session: Session,
        interval: timedelta,
        sampling: Sampling,
        clock: Clock,
        tell: Callable[[Mapping[PointId, Sample]], None],
    ) -> None:
        self._session = session
        self._interval = interval.total_seconds()
        self._sampling = sampling
        self._clock = clock
        self._tell = tell
        self._id = 0
        self._items: dict[int, OpcuaBinding] = {}
        self._told_last: dict[PointId, Judged] = {}
        self._heard = self._moment()
        self._longest_silence = 0.0
        self._sequence: int | None = None
        self.trouble = ""

    async def start(self, items: Sequence[tuple[OpcuaBinding, ua.NodeId]], most: int) -> None:
        """Subscribe to what the server lets us; the rest is to be asked for. Raises Refused, DeviceError."""
        result = await self._session.create_subscription(self._wish(), self._told)
        self._id = result.SubscriptionId
        keepalive = result.RevisedPublishingInterval / 1000 * max(1, result.RevisedMaxKeepAliveCount)
        self._longest_silence = min(_MISSED * keepalive, _LONGEST_SILENCE)
        self._heard = self._moment()
        for start in range(0, len(items), most):
            await self._add(start, items[start : start + most])

    def _wish(self) -> ua.CreateSubscriptionParameters:
        interval: Any = self._interval * 1000
        keepalives: Any = max(1, math.ceil(_KEEPALIVE_SECONDS / self._interval))
        lifetime: Any = max(3 * keepalives, math.ceil(_LIFETIME_SECONDS / self._interval))
        return ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval,
            RequestedLifetimeCount=lifetime,
            RequestedMaxKeepAliveCount=keepalives,
            PublishingEnabled=True,
        )

    async def _add(self, first: int, items: Sequence[tuple[OpcuaBinding, ua.NodeId]]) -> None:
        requests = [self._item(first + number, node) for number, (_, node) in enumerate(items)]
        self._items.update({first + number: binding for number, (binding, _) in enumerate(items)})
        subscription: Any = self._id
        parameters = ua.CreateMonitoredItemsParameters(
            SubscriptionId=subscription, TimestampsToReturn=ua.TimestampsToReturn.Both, ItemsToCreate=requests
        )
        try:
            results = await self._session.create_monitored_items(parameters)
        except (Refused, Garbled):
            results = []
        for number in range(len(items)):
            if number >= len(results) or not _is_watched(results[number]):
                binding = self._items.pop(first + number)
                self._told_last.pop(binding.point.id, None)

    def _item(self, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        """A queue of one: of several changes between two messages the last one counts."""
        wish: Any = {"ClientHandle": handle, "SamplingInterval": self._interval * 1000, "QueueSize": 1}
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=_VALUE),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(**wish),
        )

    async def end(self) -> None:
        """Have the server forget it. Raises Refused, Garbled, DeviceError."""
        await self._session.delete_subscription(self._id)

    @property
    def is_alive(self) -> bool:
        return not self.trouble and self._clock.wire_time() - self._heard.wire_time <= self._longest_silence

    def sample(self, point: PointId) -> Sample | None:
        """What the server told of the point and has stood behind since; None where it has told nothing."""
        judged = self._told_last.get(point)
        if judged is None:
            return None
        heard = self._heard
        if heard.monotonic <= judged.sample.received:
            return self._sampling.fresh(judged)
        return self._sampling.standing(judged, heard.now, heard.monotonic)

    def _told(self, result: ua.PublishResult) -> None:
        """One message of the server: changes, a change of the subscription's own state, or nothing (a keep-alive)."""
        message = result.NotificationMessage
        parts: Sequence[object] = message.NotificationData or ()
        before, self._heard = self._heard, self._moment()
        self._sampling.compare_clocks(credible_time(message.PublishTime))
        self._count(message.SequenceNumber, is_keepalive=not parts)
        changes: dict[PointId, Sample] = {}
        for part in parts:
            if isinstance(part, ua.DataChangeNotification):
                changes.update(self._changes(part, before.now))
            elif isinstance(part, ua.StatusChangeNotification) and part.Status is not None:
                self.trouble = status_name(part.Status.value)
        if changes:
            self._tell(changes)

    def _changes(self, part: ua.DataChangeNotification, known_at: datetime) -> Iterator[tuple[PointId, Sample]]:
        for item in part.MonitoredItems or ():
            binding = self._items.get(item.ClientHandle)
            if binding is not None and item.Value is not None:
                judged = self._told_last[binding.point.id] = self._sampling.judge(binding, item.Value, known_at)
                yield binding.point.id, self._sampling.fresh(judged)

    def _count(self, number: int, *, is_keepalive: bool) -> None:
        """Messages are numbered; a keep-alive bears the number of the next (OPC UA Part 4, 7.26). A gap is a loss."""
        if self._sequence is not None and number != self._sequence:
            self.trouble = "messages were lost"
        self._sequence = number if is_keepalive else (number + 1 if number < _LAST_SEQUENCE else 1)

    def _moment(self) -> Heard:
        return Heard(self._clock.wire_time(), self._clock.now(), self._clock.monotonic())


_VALUE: Final[Any] = AttributeIds.Value


def _is_watched(result: ua.MonitoredItemCreateResult) -> bool:
    is_refused = result.StatusCode is not None and quality_of(result.StatusCode.value)
    return not is_refused and result.RevisedSamplingInterval <= 1000 * _LONGEST_SAMPLING
