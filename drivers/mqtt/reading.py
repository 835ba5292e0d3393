"""What one message says of one point: its value, how good it is, and how old. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from controller.core.point import Binding
from controller.core.sample import Quality, Sample, Scalar, bad, good
from drivers.limits import why_doubted
from drivers.mqtt.address import Availability, MqttAddress
from drivers.mqtt.codec import CannotDecode, Payload, moment_of, value_of
from drivers.mqtt.path import MISSING, JsonPath, Missing, parse_path

# Design: a device clock that is off by more makes its samples UNCERTAIN.
CLOCK_TOLERANCE: Final = timedelta(seconds=5)


class Arrival(NamedTuple):
    """How a message came. doubt: why nobody knows how old it is ("retained: age unknown"); empty if it is new."""

    doubt: str
    now: datetime
    monotonic: float


class Route(NamedTuple):
    """A point and the places in a message that speak of it."""

    binding: Binding[MqttAddress]
    path: JsonPath
    timestamp: JsonPath


def route_of(binding: Binding[MqttAddress]) -> Route:
    return Route(binding, parse_path(binding.address.path), parse_path(binding.address.timestamp))


def sample_of(route: Route, payload: Payload, arrival: Arrival) -> Sample | None:
    """None where the message says nothing of the point: many gateways tell only what changed."""
    binding, path, _ = route
    if arrival.doubt and binding.address.retained == "ignored":
        return None
    try:
        raw = payload.raw(path)
        value = MISSING if raw is MISSING else value_of(raw, binding)
    except CannotDecode as error:
        return bad(str(error), arrival.now, arrival.monotonic)
    if isinstance(value, Missing):
        return None
    doubt = why_doubted(value, binding.point.plausible)
    return bad(doubt, arrival.now, arrival.monotonic) if doubt else _aged(value, route, payload, arrival)


def _aged(value: Scalar, route: Route, payload: Payload, arrival: Arrival) -> Sample:
    """A value whose age nobody knows is as old as its own timestamp says; without one it is doubted."""
    doubt, now, monotonic = arrival
    if not route.timestamp:
        is_good = not doubt or route.binding.address.retained == "good"
        return good(value, now, monotonic) if is_good else Sample(value, Quality.UNCERTAIN, doubt, now, monotonic)
    try:
        moment = moment_of(payload.raw(route.timestamp))
    except CannotDecode as error:
        return Sample(value, Quality.UNCERTAIN, doubt or str(error), now, monotonic)
    age = now - moment
    if abs(age) <= CLOCK_TOLERANCE or (doubt and age > CLOCK_TOLERANCE):
        passed = max(age, timedelta(0))
        return good(value, now - passed, monotonic - passed.total_seconds())
    reason = f"device clock is off by {abs(age).total_seconds():.0f} s"
    return Sample(value, Quality.UNCERTAIN, reason, now, monotonic)


def is_online(availability: Availability, payload: Payload) -> bool | None:
    """Whether a message says that the device is there; None where it says neither.

    The bare word counts where a JSON message is expected: gateways changed from one to the other.
    """
    words = (availability.offline, availability.online)
    for path in {parse_path(availability.path), ()}:
        try:
            word = payload.raw(path)
        except CannotDecode:
            continue
        if isinstance(word, str) and word in words:
            return word == availability.online
    return None
