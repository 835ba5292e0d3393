"""One connection to a broker and the devices that speak through it.

Devices tell by themselves, or when they are asked where their address says how. What they told is kept with its age;
trouble with a device is a BAD sample, only a lost connection raises. Nothing here reconnects: who opened the driver
closes it and opens it again, with back-off.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from controller.core.errors import ConnectFailed
from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, WriteResult
from controller.core.sample import Quality, Sample, Scalar, bad
from drivers.limits import why_refused
from drivers.mqtt.address import MqttConnection
from drivers.mqtt.client import Client
from drivers.mqtt.codec import CannotEncode, Payload, encode
from drivers.mqtt.path import parse_path, spelt
from drivers.mqtt.plan import MqttBinding, Request, Watch, plan
from drivers.mqtt.reading import Arrival, Route, is_online, sample_of

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

# A device that does not answer requests costs every read a time-out: it rests for 1 s, then doubling.
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
# How often a topic that the broker refused us is tried again, in seconds.
REFUSED_AGAIN: Final = 60.0
# Where no subscription identifier marks what is new (MQTT 3.1.1, some brokers), what a broker kept for us while we were
# away comes within this time, in seconds.
BACKLOG: Final = 5.0
# Subscription identifiers are 28 bits (MQTT 5.0, 3.8.2.1.2), zero is none.
_IDENTIFIERS: Final = 268_435_455

_RETAINED: Final = "retained: age unknown"
_QUEUED: Final = "kept by the broker: age unknown"


class _Heard(NamedTuple):
    """The last that a point's device told: the message, and its number, counted on this connection."""

    sample: Sample
    message: bytes
    number: int


class _Asked(NamedTuple):
    """When a request was sent: the wire time, and the number of the last message before it."""

    at: float
    number: int


class _Silence(NamedTuple):
    """A request that was not answered: the wire time until which it is not repeated, and for how long next time."""

    until: float
    next_rest: float


@dataclass
class _Device:
    """watches: what tells that it is there. there: what those of them say that have spoken. offline_at: number of the
    message that said it was gone.
    """

    points: tuple[PointId, ...]
    watches: frozenset[Watch]
    there: dict[Watch, bool] = field(default_factory=dict[Watch, bool])
    offline_at: int = 0

    @property
    def is_offline(self) -> bool:
        return not all(self.there.values())

    @property
    def is_online(self) -> bool:
        """One that has not spoken may be the only one that would know."""
        return bool(self.watches) and all(self.there.get(watch, False) for watch in self.watches)


class _Awaited:
    """Topics whose next message somebody waits for. answers: those of whom only a new message will do."""

    def __init__(self, answers: Set[str], others: Set[str]) -> None:
        self.open = {*answers, *others}
        self._answers = answers
        self._done = asyncio.Event()

    def note(self, topic: str, *, is_new: bool) -> None:
        if is_new or topic not in self._answers:
            self.open.discard(topic)
        if not self.open:
            self._done.set()

    def give_up(self) -> None:
        self._done.set()

    async def over(self, seconds: float) -> None:
        """Return once nothing is awaited any more, at the latest after so long."""
        if not self.open:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError:
            return


class MqttDriver:
    def __init__(self, link: str, connection: MqttConnection, bindings: Sequence[MqttBinding], clock: Clock) -> None:
        self._link = link
        self._connection = connection
        self._clock = clock
        self._timeout = connection.timeout.total_seconds()
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._plan = plan(bindings)
        self._state_topics = {each: b.address.at(b.address.state_topic) for each, b in self._bindings.items()}
        # Who may not write is not there either: a gateway must not count on us.
        may_write = any(binding.point.writable is not None for binding in bindings)
        self._presence = connection.presence if may_write else None
        self._client: Client | None = None
        self._forget()

    def _forget(self) -> None:
        """What was heard holds for one connection: what happened between two nobody knows."""
        self._devices = {
            device: _Device(points, self._plan.watches_of[device]) for device, points in self._plan.devices.items()
        }
        self._heard: dict[PointId, _Heard] = {}
        self._absent: dict[PointId, str] = {}
        self._count = 0
        self._refused: dict[str, str] = {}
        self._refused_again = 0.0
        self._opened = self._clock.wire_time()
        # Another than that of any connection before, of this process or an earlier: what was kept for us carries that.
        self._identifier = 1 + secrets.randbelow(_IDENTIFIERS)
        self._asked: dict[Request, _Asked] = {}
        self._silent: dict[Request, _Silence] = {}
        self._unheard = set(self._plan.routes)
        self._awaited: list[_Awaited] = []
        self._news: dict[PointId, Sample] = {}
        self._has_news = asyncio.Event()

    # --- the connection -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._close()
        self._forget()
        client = Client(self._link, self._connection, self._presence, self._take, self._wake)
        self._client = client  # what the broker kept for us comes before `open` returns
        try:
            await client.open()
            self._refused = dict(await client.listen(self._plan.topics, self._identifier))
            self._refused_again = self._clock.wire_time() + REFUSED_AGAIN
            await self._be_there(client)
        except BaseException:
            await self._close()
            raise
        return self

    async def _be_there(self, client: Client) -> None:
        if self._presence is not None:
            said = client.send(self._presence.topic, self._presence.online.encode(), qos=1, retain=True)
            await asyncio.wait([said], timeout=self._timeout)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if self._presence is not None and client.lost is None:
            client.send(self._presence.topic, self._presence.offline.encode(), qos=0, retain=True)
        await client.close()

    def _connected(self, operation: str) -> Client:
        client = self._client
        if client is None:
            raise ConnectFailed(self._link, operation, "not connected")
        if client.lost is not None:
            raise client.lost
        return client

    def _wake(self) -> None:
        """The connection is lost: nobody waits for it any longer."""
        self._has_news.set()
        for awaited in self._awaited:
            awaited.give_up()

    # --- what comes ---------------------------------------------------------------------------------------------------

    def _take(self, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._count += 1
        self._unheard.discard(topic)
        payload = Payload(bytes(message.payload))
        arrival = Arrival(self._why_doubted(message), self._clock.now(), self._clock.monotonic())
        touched = [
            route.binding.point.id for route in self._plan.routes.get(topic, ()) if self._told(route, payload, arrival)
        ]
        for watch in self._plan.watches.get(topic, ()):
            touched.extend(self._watched(watch, payload))
        if touched:
            self._news.update((point, self._current(point)) for point in touched)
            self._has_news.set()
        for awaited in self._awaited:
            awaited.note(topic, is_new=not arrival.doubt)

    def _why_doubted(self, message: MQTTMessage) -> str:
        """Why nobody knows how old a message is; empty if it is new."""
        if message.retain:
            return _RETAINED
        if self._client is None or not self._client.resumed:
            return ""
        if not self._client.takes_identifiers:
            return _QUEUED if self._clock.wire_time() < self._opened + BACKLOG else ""
        identifiers = getattr(message.properties, "SubscriptionIdentifier", ())
        return "" if self._identifier in identifiers else _QUEUED

    def _told(self, route: Route, payload: Payload, arrival: Arrival) -> bool:
        """Whether the message says something of the point."""
        point = route.binding.point.id
        sample = sample_of(route, payload, arrival)
        if sample is None:
            if not arrival.doubt:
                self._absent[point] = f"no {spelt(route.path)} in any message yet"
            return False
        self._heard[point] = _Heard(sample, payload.data, self._count)
        return True

    def _watched(self, watch: Watch, payload: Payload) -> Sequence[PointId]:
        """The points that an availability message touches. A text that is neither of the two says nothing."""
        said, device = is_online(watch.availability, payload), self._devices[watch.device]
        if said is None:
            return ()
        was_offline = device.is_offline
        device.there[watch] = said
        if device.is_offline and not was_offline:
            device.offline_at = self._count
        return device.points

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        client = self._connected("read")
        bound = [point for point in points if point in self._bindings]
        await self._try_refused(client)
        requests = self._due(bound)
        await self._ask(client, requests, bound)
        self._connected("read")
        return {point: self._current(point) for point in points}

    def _due(self, points: Iterable[PointId]) -> dict[Request, set[str]]:
        """What is to be asked now, and the topics that answer."""
        due: dict[Request, set[str]] = {}
        wire_time = self._clock.wire_time()
        for point in points:
            request, topic = self._plan.requests.get(point), self._state_topics[point]
            if request is None or topic in self._refused or self._is_at_rest(request, wire_time):
                continue
            every = self._bindings[point].address.request_every.total_seconds()
            if request in due or request not in self._asked or wire_time >= self._asked[request].at + every:
                due.setdefault(request, set()).add(topic)
        return due

    def _is_at_rest(self, request: Request, wire_time: float) -> bool:
        silence = self._silent.get(request)
        return silence is not None and wire_time < silence.until

    async def _ask(self, client: Client, requests: Mapping[Request, set[str]], points: Iterable[PointId]) -> None:
        """Send all that is due and wait for all of it at once. On a fresh connection, wait for what is retained too."""
        fresh = max(0.0, self._opened + self._timeout - self._clock.wire_time())
        unasked = {self._state_topics[point] for point in points if point not in self._plan.requests}
        coming = unasked & self._unheard - self._refused.keys() if fresh else set[str]()
        answers = {topic for topics in requests.values() for topic in topics}
        awaited = _Awaited(answers, coming)
        self._awaited.append(awaited)
        before = {request: self._asked.get(request) for request in requests}
        try:
            for request in requests:
                client.send(request.topic, request.payload)
                self._asked[request] = _Asked(self._clock.wire_time(), self._count)
            await awaited.over(self._timeout if requests else fresh)
        finally:
            self._awaited.remove(awaited)
        if client.lost is None:
            for request, topics in requests.items():
                self._judge(request, topics & awaited.open, before[request])

    def _judge(self, request: Request, unanswered: set[str], before: _Asked | None) -> None:
        """One answer may be late or lost: a device that has spoken since it was asked before is still there."""
        if not unanswered:
            self._silent.pop(request, None)
            return
        silence = self._silent.get(request)
        rest = FIRST_REST if silence is None else silence.next_rest
        self._silent[request] = _Silence(self._clock.wire_time() + rest, min(2 * rest, LONGEST_REST))
        timed_out = _Heard(self._bad("device timeout"), b"", self._count)
        for point, asked in self._plan.requests.items():
            if asked == request and self._state_topics[point] in unanswered:
                heard = self._heard.get(point)
                if heard is None or before is None or heard.number <= before.number:
                    self._heard[point] = timed_out

    async def _try_refused(self, client: Client) -> None:
        """Ask the broker again, now and then, for topics that it refused: somebody may have mended its access list."""
        if self._refused and self._clock.wire_time() >= self._refused_again:
            self._refused_again = self._clock.wire_time() + REFUSED_AGAIN
            again = {topic: self._plan.topics[topic] for topic in self._refused}
            self._refused = dict(await client.listen(again, self._identifier))

    def _current(self, point: PointId) -> Sample:
        """What is known of a point now."""
        binding = self._bindings.get(point)
        if binding is None:
            return self._bad("no such point on this link")
        device = self._devices[binding.device]
        if device.is_offline:
            return self._bad("device offline")
        if refused := self._refused.get(self._state_topics[point]):
            return self._bad(refused)
        heard = self._heard.get(point)
        if heard is None:
            return self._bad(self._absent.get(point) or "nothing received yet")
        if heard.number < device.offline_at:
            return self._bad("nothing received since the device was offline")
        stands_behind = binding.address.reports == "on_change" and device.is_online
        if stands_behind and heard.sample.quality is not Quality.BAD:
            return heard.sample._replace(received=self._clock.monotonic())
        return heard.sample

    def _bad(self, reason: str) -> Sample:
        return bad(reason, self._clock.now(), self._clock.monotonic())

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """At most the newest of each point waits to be fetched."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            self._connected("read")
            news, self._news = self._news, {}
            if news:
                yield news

    async def inspect(self, point: PointId) -> Inspection:
        """Asks a device that can be asked, however lately it was; of the others, what they told last."""
        client = self._connected("read")
        request = self._plan.requests.get(point)
        due = {} if request is None else {request: {self._state_topics[point]}}
        await self._ask(client, due, [point] if point in self._bindings else [])
        self._connected("read")
        heard = self._heard.get(point)
        raw = Payload(heard.message).spelling(parse_path(self._bindings[point].address.path)) if heard else ""
        return Inspection(self._current(point), raw)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """All are sent in the order given, then their acknowledgements awaited. That the broker took a command says
        nothing of the device: only the read-back does.
        """
        outcomes = {point: self._sent(point, value) for point, value in values.items()}
        waiting = [outcome for outcome in outcomes.values() if isinstance(outcome, asyncio.Future)]
        try:
            if waiting:
                await asyncio.wait(waiting, timeout=self._timeout)
            reasons = {point: _reason(outcome) for point, outcome in outcomes.items()}
        finally:
            for outcome in waiting:
                outcome.cancel()
        return {point: WriteResult(not reason, reason) for point, reason in reasons.items()}

    def _sent(self, point: PointId, value: Scalar | None) -> asyncio.Future[str] | str:
        """What will become of the command, or why there is none."""
        binding = self._bindings.get(point)
        if binding is None:
            return "no such point on this link"
        if reason := why_refused(binding.point, value):
            return reason
        if value is None:
            return "MQTT has nothing to relinquish to: declare a remote bit or a safe value"
        address = binding.address
        if not address.command_topic:
            return "no command topic"
        try:
            client, payload = self._connected("write"), encode(value, binding)
        except (ConnectFailed, CannotEncode) as error:
            return str(error)
        retain = address.retain_command
        return client.send(
            address.at(address.command_topic), payload, qos=address.command_qos, retain=retain, expires=not retain
        )


def _reason(outcome: asyncio.Future[str] | str) -> str:
    if isinstance(outcome, str):
        return outcome
    return outcome.result() if outcome.done() else "not acknowledged by the broker"
