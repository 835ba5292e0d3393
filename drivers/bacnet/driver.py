"""One BACnet/IP socket and the devices reached through it.

Trouble with a value or a device is a BAD sample. There is no connection that could break: the link counts as lost when
no device on it answers any more. Nothing here reopens it: who opened the driver closes it and opens it again, with
back-off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout
from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, WriteResult
from controller.core.sample import Sample, Scalar, bad
from drivers.bacnet.address import BacnetConnection, ObjectId, Reference, parse_station
from drivers.bacnet.answers import Silence
from drivers.bacnet.backlog import Backlog
from drivers.bacnet.changes import LIFETIME_S, LOOK_AGAIN_S, RENEW_S, SLOW_POLL_S, News, notification
from drivers.bacnet.client import Client
from drivers.bacnet.codec import Answer, CannotEncode, belief, encode, sample_of
from drivers.bacnet.device import RemoteDevice
from drivers.bacnet.names import PRESENT_VALUE, property_name
from drivers.bacnet.plan import BacnetBinding, by_device, qualities, wanted
from drivers.bacnet.wire import Kind, Raw, Refusal
from drivers.limits import why_refused

_UNKNOWN: Final = "no such point on this link"
_NULL: Final = Raw(Kind.NULL, None)
_NEVER: Final = float("-inf")
# Whole devices are asked for again and again, single read-backs now and then.
_MOST_SETS: Final = 100
# Bounds what a device may write into our texts.
_LONGEST_SPELLING: Final = 60
# What a device may take of one reading, and twice its time-out where that is longer: the others wait for it so long.
LEAST_TURN_S: Final = 5.0
_SLOW: Final = "device is slow"


class _Subscription:
    """One object of one device whose changes are to be told."""

    def __init__(self, device: RemoteDevice, object: ObjectId) -> None:
        self.device = device
        self.object = object
        self.renew_at = _NEVER
        self.ends = _NEVER
        self.is_refused = False


class _Wish(NamedTuple):
    """What is asked of one device."""

    device: RemoteDevice
    bindings: tuple[BacnetBinding, ...]


class _Answers(dict[Reference, Answer]):
    """What a device gives, and when each came: a device that is read value by value may take its time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.moments: dict[Reference, _Moment] = {}

    def __setitem__(self, reference: Reference, answer: Answer) -> None:
        super().__setitem__(reference, answer)
        self.moments[reference] = _Moment(self._clock.now(), self._clock.monotonic())


class _Moment(NamedTuple):
    timestamp: datetime
    received: float


class BacnetDriver:
    def __init__(
        self,
        link: str,
        connection: BacnetConnection,
        bindings: Sequence[BacnetBinding],
        clock: Clock,
        least_turn: float = LEAST_TURN_S,
    ) -> None:
        self._link = link
        self._connection = connection
        self._turn = max(2 * connection.timeout.total_seconds(), least_turn)
        self._clock = clock
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._places = by_device(bindings)
        self._wanted: dict[tuple[PointId, ...], tuple[Reference, ...]] = {}
        self._invoke_id = 0
        self._client: Client | None = None
        self._forget(None)

    def _forget(self, client: Client | None) -> None:
        """What was learned holds until the link is opened again."""
        self._devices: dict[PointId, RemoteDevice] = {}
        self._backlog = Backlog(self._turn)
        self._values_of: dict[RemoteDevice, int] = {}
        self._subscriptions: dict[tuple[RemoteDevice, ObjectId], _Subscription] = {}
        self._subscriptions_of: dict[RemoteDevice, list[_Subscription]] = {}
        self._telling: dict[ObjectId, list[PointId]] = {}
        self._told: dict[PointId, Sample] = {}
        self._asked: dict[PointId, float] = {}
        self._notifications = 0
        self._told_last: dict[PointId, int] = {}
        self._news = News()
        self._is_followed = False
        self._remote: tuple[RemoteDevice, ...] = ()
        self._last_silence: DeviceError | None = None
        if client is None:
            return
        for (place, instance), own in self._places.items():
            station = parse_station(place) if place else None
            device = RemoteDevice(station, instance, client, self._clock.wire_time)
            self._remote += (device,)
            self._values_of[device] = len(own)
            self._devices.update((binding.point.id, device) for binding in own)
            for binding in own:
                if binding.address.cov:
                    object = binding.address.reference.object
                    self._subscriptions[device, object] = _Subscription(device, object)
                    self._telling.setdefault(object, []).append(binding.point.id)
        for (device, _), subscription in self._subscriptions.items():
            self._subscriptions_of.setdefault(device, []).append(subscription)

    # --- opening and closing ------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._close()
        client = Client(self._link, self._connection, self._invoke_id)
        self._forget(client)
        await client.open()
        self._client = client
        client.heard_change = self._hear
        try:
            await _together(self._introduce(device) for device in self._remote)
            self._give_up_if_dead("connect")
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            wire_time = self._clock.wire_time()
            for subscription in self._subscriptions.values():
                if subscription.ends > wire_time:
                    subscription.device.unsubscribe(subscription.object)
            self._invoke_id = client.invoke_id
            client.close()
        self._news.end()

    async def _introduce(self, device: RemoteDevice) -> None:
        try:
            await device.introduce()
        except DeviceError as error:
            self._last_silence = error

    def _give_up_if_dead(self, operation: str) -> None:
        """Where no device answers, the link is lost: perhaps the network is, or our own interface."""
        if self._remote and all(device.is_silent for device in self._remote) and self._last_silence is not None:
            self._close()
            raise DeviceTimeout(self._link, operation, f"no device answers: {self._last_silence.cause}")

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        if self._client is None:
            raise ConnectFailed(self._link, "read", "connection lost")
        samples: dict[PointId, Sample] = {}
        wishes = self._wishes(points, samples)
        await _together(self._read_device(wish, samples) for wish in wishes)
        self._give_up_if_dead("read")
        return {point: samples.get(point) or self._bad(_UNKNOWN) for point in points}

    def _wishes(self, points: Collection[PointId], samples: dict[PointId, Sample]) -> list[_Wish]:
        """What has to be asked for; what was told of late is taken from there."""
        ask: dict[RemoteDevice, list[BacnetBinding]] = {}
        for point in dict.fromkeys(points):
            binding = self._bindings.get(point)
            if binding is None:
                continue
            if self._is_told(binding):
                samples[point] = self._told[point]
            else:
                ask.setdefault(self._devices[point], []).append(binding)
        return [_Wish(device, tuple(bindings)) for device, bindings in ask.items()]

    def _is_told(self, binding: BacnetBinding) -> bool:
        """Whether changes would have been told, and the value was asked for not long ago."""
        point = binding.point.id
        if not binding.address.cov or point not in self._told:
            return False
        device = self._devices[point]
        subscription = self._subscriptions[device, binding.address.reference.object]
        wire_time = self._clock.wire_time()
        slow = min(SLOW_POLL_S, binding.point.stale_after.total_seconds() / 2)
        asked_again = self._asked.get(point, _NEVER) + slow
        return not device.is_silent and wire_time < min(subscription.ends, asked_again)

    async def _read_device(self, wish: _Wish, samples: dict[PointId, Sample]) -> None:
        """For no longer than a turn: what is late then is asked for beside the reading, or first the next time."""
        device, bindings = wish
        answers = _Answers(self._clock)
        notifications = self._notifications
        if self._is_left_alone(device):
            samples.update(self._taken(bindings, answers, "device timeout", notifications))
            return
        if self._is_followed and self._backlog.is_slow(device) and not device.is_silent:
            self._backlog.add(device, bindings)
            samples.update(self._known(bindings))
            return
        cause = ""
        try:
            async with asyncio.timeout(self._turn):
                for part in self._backlog.owed_first(device, bindings):
                    cause = cause or await self._ask(device, self._references_of(part), answers)
        except TimeoutError:
            late = tuple(binding for binding in bindings if not self._is_settled(binding, answers))
            bindings = tuple(binding for binding in bindings if self._is_settled(binding, answers))
            self._backlog.add(device, late)
            samples.update(self._known(late))
        self._backlog.settle(device, [binding.point.id for binding in bindings])
        samples.update(self._taken(bindings, answers, cause, notifications))

    def _taken(
        self, bindings: Iterable[BacnetBinding], answers: _Answers, cause: str, notifications: int
    ) -> dict[PointId, Sample]:
        """Samples of what was asked when so many notifications had come, as what is known from now on."""
        for binding in bindings:
            point = binding.point.id
            self._asked[point] = self._clock.wire_time()
            if self._told_last.get(point, 0) <= notifications:  # a change that was told while we asked is newer
                self._told[point] = self._sample(binding, answers, cause)
        return {binding.point.id: self._told[binding.point.id] for binding in bindings}

    def _known(self, bindings: Iterable[BacnetBinding]) -> dict[PointId, Sample]:
        """What was last known, as old as it is; nothing that is too old for its point."""
        monotonic = self._clock.monotonic()
        samples: dict[PointId, Sample] = {}
        for point in (binding.point for binding in bindings):
            known = self._told.get(point.id)
            is_fresh = known is not None and known.age(monotonic) <= point.stale_after.total_seconds()
            samples[point.id] = known if known is not None and is_fresh else self._bad(_SLOW)
        return samples

    def _is_settled(self, binding: BacnetBinding, answers: Mapping[Reference, Answer]) -> bool:
        """Whether the device has given the value and said all that it will say of its worth."""
        reference, device = binding.address.reference, self._devices[binding.point.id]
        if reference not in answers:
            return False
        if reference.property != PRESENT_VALUE:
            return True
        return not any(device.owes(quality, answers) for quality in qualities(reference))

    def _references_of(self, bindings: tuple[BacnetBinding, ...]) -> tuple[Reference, ...]:
        points = tuple(binding.point.id for binding in bindings)
        references = self._wanted.get(points)
        if references is None:
            if len(self._wanted) >= _MOST_SETS:
                self._wanted.clear()
            references = self._wanted[points] = wanted(bindings)
        return references

    def _is_left_alone(self, device: RemoteDevice) -> bool:
        """A silent device is asked beside the reading while somebody follows the changes, else now and then.

        One that is alone on its link costs no neighbour anything.
        """
        return device.is_silent and len(self._remote) > 1 and (self._is_followed or device.is_resting)

    async def _ask(
        self, device: RemoteDevice, references: tuple[Reference, ...], answers: dict[Reference, Answer]
    ) -> str:
        """Why the device gave nothing more than there is in `answers`; empty where it gave all."""
        try:
            await device.read(references, answers)
        except Silence as error:
            self._note_silence(device, error)
            return "device timeout"
        except DeviceError as error:
            return error.cause
        return ""

    def _note_silence(self, device: RemoteDevice, error: Silence) -> None:
        self._last_silence = error
        for subscription in self._subscriptions.values():
            if subscription.device is device:  # it may have restarted, and know nothing of us
                subscription.ends = subscription.renew_at = _NEVER

    def _sample(self, binding: BacnetBinding, answers: Mapping[Reference, Answer], cause: str) -> Sample:
        reference = binding.address.reference
        answer = answers.get(reference)
        if answer is None:
            return self._bad(cause or "missing in the answer")
        if isinstance(answer, Refusal):
            return self._bad(answer.reason)
        if cause and not self._is_settled(binding, answers):
            return self._bad(cause)  # it fell silent before it could say what the value is worth
        believed = belief(reference.object, answers if reference.property == PRESENT_VALUE else {})
        moment = answers.moments.get(reference) if isinstance(answers, _Answers) else None
        now, monotonic = moment or (self._clock.now(), self._clock.monotonic())
        return sample_of(binding.point, binding.address, answer, believed, now, monotonic)

    def _bad(self, reason: str) -> Sample:
        return bad(reason, self._clock.now(), self._clock.monotonic())

    async def inspect(self, point: PointId) -> Inspection:
        if self._client is None:
            raise ConnectFailed(self._link, "read", "connection lost")
        binding = self._bindings.get(point)
        if binding is None:
            return Inspection(self._bad(_UNKNOWN), "")
        answers = _Answers(self._clock)
        cause = await self._ask(self._devices[point], wanted([binding]), answers)
        self._give_up_if_dead("read")
        asked = binding.address.reference
        spelt = [
            _spelling(answer) if reference == asked else f"{property_name(reference.property)} {_spelling(answer)}"
            for reference, answer in answers.items()
        ]
        return Inspection(self._sample(binding, answers, cause), "; ".join(spelt))

    # --- writing ------------------------------------------------------------------------------------------------------

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """One after the other. Nothing is raised: what is left unwritten is not accepted, with the reason."""
        results: dict[PointId, WriteResult] = {}
        silent: set[RemoteDevice] = set()
        for point, value in values.items():
            binding = self._bindings.get(point)
            device = self._devices.get(point)
            if binding is None:
                results[point] = WriteResult(False, _UNKNOWN)
            elif self._client is None or device is None:
                results[point] = WriteResult(False, "connection lost")
            elif device in silent:
                results[point] = WriteResult(False, "device timeout")
            else:
                try:
                    results[point] = await self._write_one(device, binding, value)
                except Silence as error:
                    silent.add(device)
                    self._note_silence(device, error)
                    results[point] = WriteResult(False, "device timeout")
                except DeviceError as error:
                    results[point] = WriteResult(False, str(error))
        return results

    async def _write_one(self, device: RemoteDevice, binding: BacnetBinding, value: Scalar | None) -> WriteResult:
        if reason := why_refused(binding.point, value):
            return WriteResult(False, reason)
        reference, priority = binding.address.reference, self._connection.priority
        commandable = reference.property == PRESENT_VALUE and reference.element is None
        if value is None:
            held = await device.slots(reference.object, priority) if commandable else None
            if held is None:
                return WriteResult(False, "not commandable: it has no priority array, and nothing to relinquish to")
            raw = _NULL
        else:
            try:
                raw = encode(value, binding.address, device.kinds.get(reference))
            except CannotEncode as error:
                return WriteResult(False, str(error))
        reason = await device.set_property(reference, raw, priority if commandable else None)
        if reason or not commandable:
            return WriteResult(not reason, reason)
        return await self._read_back(device, reference.object, raw)

    async def _read_back(self, device: RemoteDevice, object: ObjectId, written: Raw) -> WriteResult:
        """The device has accepted; its priority array says what came of it."""
        priority = self._connection.priority
        try:
            held = await device.slots(object, priority)
        except Silence:
            return WriteResult(True, "not read back: device timeout")
        if held is None:
            return WriteResult(True)
        if isinstance(held, Refusal):
            return WriteResult(True, f"not read back: {held.reason}")
        if (held.own or _NULL) != written:
            return WriteResult(False, f"slot {priority} holds {_held(held.own, written.kind)}")
        return WriteResult(True, f"held by slot {held.holder}" if held.holder else "")

    # --- changes ------------------------------------------------------------------------------------------------------

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """What devices tell, while each is looked after beside the reading, at its own pace."""
        news = self._news
        looked_after: dict[RemoteDevice, asyncio.Task[None]] = {}
        self._is_followed = True
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    while not news.is_over:
                        for device in self._remote:
                            if self._has_work(device) and (device not in looked_after or looked_after[device].done()):
                                looked_after[device] = tasks.create_task(self._look_after(device))
                        await news.wait(LOOK_AGAIN_S)
                        if told := news.take():
                            yield told
                except GeneratorExit:
                    return  # who followed goes; the group would make an error of it
                finally:
                    for task in looked_after.values():
                        task.cancel()
        finally:
            self._is_followed = False
        raise ConnectFailed(self._link, "changes", "connection lost")

    def _has_work(self, device: RemoteDevice) -> bool:
        if device.is_silent:
            return not device.is_resting
        return self._backlog.is_owed(device) or self._next_due(device) is not None

    def _next_due(self, device: RemoteDevice) -> _Subscription | None:
        wire_time = self._clock.wire_time()
        subscriptions = self._subscriptions_of.get(device, ())
        return next((each for each in subscriptions if not each.is_refused and each.renew_at <= wire_time), None)

    async def _look_after(self, device: RemoteDevice) -> None:
        """Ask a silent device whether it is back, renew what is due, and go on with what a slow one still owes."""
        if device.is_silent:
            await self._introduce(device)
        while not device.is_silent and self._has_work(device):
            if subscription := self._next_due(device):
                await self._subscribe(subscription)
            if chunk := self._backlog.take(device):
                await self._read_beside(device, chunk)

    async def _read_beside(self, device: RemoteDevice, bindings: tuple[BacnetBinding, ...]) -> None:
        time = asyncio.get_running_loop().time
        began = time()
        answers = _Answers(self._clock)
        notifications = self._notifications
        cause = await self._ask(device, self._references_of(bindings), answers)
        self._news.put(self._taken(bindings, answers, cause, notifications))
        self._backlog.note_pace(device, (time() - began) / len(bindings), self._values_of[device])

    async def _subscribe(self, subscription: _Subscription) -> None:
        try:
            refused = await subscription.device.subscribe(subscription.object, LIFETIME_S)
        except Silence as error:
            self._note_silence(subscription.device, error)
            return
        except DeviceError:
            subscription.renew_at = self._clock.wire_time() + SLOW_POLL_S
            return
        wire_time = self._clock.wire_time()
        subscription.is_refused = bool(refused)
        subscription.ends = _NEVER if refused else wire_time + LIFETIME_S
        subscription.renew_at = wire_time + RENEW_S

    def _hear(self, apdu: Any) -> bool:
        """Whether the notification was for us; a device that hears otherwise stops telling."""
        told = notification(apdu)
        if told is None:
            return False
        self._notifications += 1
        samples: dict[PointId, Sample] = {}
        for point in self._telling.get(told.object, ()):
            binding = self._bindings[point]
            if self._devices[point].address == told.where and binding.address.reference in told.values:
                samples[point] = self._sample(binding, told.values, "")
        self._told.update(samples)
        self._told_last.update(dict.fromkeys(samples, self._notifications))
        if samples and self._is_followed:
            self._news.put(samples)
        return bool(samples)


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at the same time; the first that fails ends the others."""
    async with asyncio.TaskGroup() as tasks:
        for each in work:
            tasks.create_task(each)


def _held(own: Raw | None, expected: Kind) -> str:
    """What a slot holds, with its type where that is not the expected one."""
    if own is None:
        return "nothing"
    return str(own.value if own.kind is expected or expected is Kind.NULL else own)[:_LONGEST_SPELLING]


def _spelling(answer: Answer) -> str:
    return answer.reason if isinstance(answer, Refusal) else ", ".join(map(str, answer)) or "nothing"
