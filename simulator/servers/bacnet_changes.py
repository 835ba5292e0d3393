"""Changes that a simulated BACnet device tells to whoever subscribed to them.

Source: ANSI/ASHRAE 135-2020, clauses 13.1 (what is told) and 13.14 (SubscribeCOV).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from simulator.gateway import Value
from simulator.servers import bacnet_wire as wire
from simulator.servers.bacnet_objects import DEVICE, FLAGS, PRESENT_VALUE, UNKNOWN_OBJECT, Refused, ServedObject

Client: TypeAlias = tuple[str, int]

_MOST_SUBSCRIPTIONS = 100
_NO_SPACE = (5, 18)  # class resources, code no-space-to-add-list-element
_UNCONFIRMED_COV, _CONFIRMED_COV = 2, 1


class Send(Protocol):
    def __call__(self, apdu: bytes, client: Client, *, wants_answer: bool = False) -> None: ...


@dataclass(slots=True)
class _Subscription:
    """ends: when it runs out, in the loop's time. told: what was told last."""

    client: Client
    process: int
    object: ServedObject
    is_confirmed: bool
    ends: float
    told: tuple[Value | None, bytes] | None = None


class Changes:
    """Of the objects of one device. send: towards a client."""

    def __init__(self, instance: int, objects: Mapping[wire.Place, ServedObject], send: Send) -> None:
        self._instance = instance
        self._objects = objects
        self._send = send
        self._subscriptions: dict[tuple[Client, int, wire.Place], _Subscription] = {}
        self._invoke_id = 0

    def subscribe(self, fields: wire.Fields, client: Client, now: float) -> None:
        """Begin, renew or end a subscription. now: in the loop's time. Raises Refused."""
        process, place = fields.whole(0), fields.place(1)
        confirmed, lifetime = fields.optional(2), fields.optional(3)
        found = self._objects.get(place)
        if found is None:
            raise Refused(*UNKNOWN_OBJECT)
        key = (client, process, place)
        if confirmed is None and lifetime is None:
            self._subscriptions.pop(key, None)
            return
        if key not in self._subscriptions and len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise Refused(*_NO_SPACE)
        ends = now + (lifetime or float("inf"))
        self._subscriptions[key] = _Subscription(client, process, found, bool(confirmed), ends)

    def tell(self, now: float) -> None:
        """Every subscriber what has changed since it was told last."""
        self._subscriptions = {key: each for key, each in self._subscriptions.items() if each.ends > now}
        for subscription in self._subscriptions.values():
            self._tell(subscription, now)

    def lose(self) -> None:
        """The device has started anew."""
        self._subscriptions.clear()

    def _tell(self, subscription: _Subscription, now: float) -> None:
        found = subscription.object
        value, flags = found.number(), found.flags()
        if subscription.told is not None and not _is_news(subscription.told, value, flags, found.worth_telling):
            return
        subscription.told = (value, flags)
        left = 0 if subscription.ends == float("inf") else round(subscription.ends - now)
        values = ((PRESENT_VALUE, found.present_value()), (FLAGS, flags))
        listed = b"".join(wire.context(0, number) + wire.between(2, each) for number, each in values)
        content = (
            wire.context(0, subscription.process)
            + wire.context(1, (DEVICE, self._instance))
            + wire.context(2, found.id)
            + wire.context(3, left)
            + wire.between(4, listed)
        )
        if not subscription.is_confirmed:
            self._send(bytes([0x10, _UNCONFIRMED_COV]) + content, subscription.client)
            return
        self._invoke_id = (self._invoke_id + 1) % 256
        header = bytes([0x00, 0x05, self._invoke_id, _CONFIRMED_COV])
        self._send(header + content, subscription.client, wants_answer=True)


def _is_news(told: tuple[Value | None, bytes], value: Value | None, flags: bytes, increment: float) -> bool:
    before, flags_before = told
    if flags != flags_before or (before is None) is not (value is None):
        return True
    return before is not None and value is not None and value != before and abs(value - before) >= increment
