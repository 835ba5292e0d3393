"""Which topic speaks of which points, what tells that a device is there, and what to send to be told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from controller.core.point import Binding, PointId
from drivers.mqtt.address import Availability, MqttAddress
from drivers.mqtt.reading import Route, route_of

MqttBinding: TypeAlias = Binding[MqttAddress]


class Watch(NamedTuple):
    """A device and a topic that says whether it is there."""

    device: str
    availability: Availability


class Request(NamedTuple):
    """What is sent so that a device tells its state; points that need the same are asked for together."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """topics: everything to subscribe to, with the quality of service. devices: the points of each. watches_of: all
    that says whether a device is there.
    """

    topics: Mapping[str, int]
    routes: Mapping[str, tuple[Route, ...]]
    watches: Mapping[str, tuple[Watch, ...]]
    requests: Mapping[PointId, Request]
    devices: Mapping[str, tuple[PointId, ...]]
    watches_of: Mapping[str, frozenset[Watch]]


def plan(bindings: Iterable[MqttBinding]) -> Plan:
    """What one point says of availability holds for its whole device: a device fails as a whole."""
    topics: dict[str, int] = {}
    routes: dict[str, list[Route]] = {}
    watches: dict[str, dict[str, list[Watch]]] = {}
    requests: dict[PointId, Request] = {}
    devices: dict[str, list[PointId]] = {}
    watches_of: dict[str, set[Watch]] = {}
    for binding in bindings:
        address, point = binding.address, binding.point.id
        topic = address.at(address.state_topic)
        topics[topic] = max(topics.get(topic, 0), address.qos)
        routes.setdefault(topic, []).append(route_of(binding))
        devices.setdefault(binding.device, []).append(point)
        own_watches = watches_of.setdefault(binding.device, set())
        for each in address.availability:
            there = address.at(each.topic)
            topics[there] = max(topics.get(there, 0), address.qos)
            watch = Watch(binding.device, each)
            own_watches.add(watch)
            said = watches.setdefault(there, {}).setdefault(binding.device, [])
            if watch not in said:
                said.append(watch)
        if address.request_topic:
            requests[point] = Request(address.at(address.request_topic), address.at(address.request_payload).encode())
    return Plan(
        topics,
        {topic: tuple(each) for topic, each in routes.items()},
        {topic: tuple(watch for said in each.values() for watch in said) for topic, each in watches.items()},
        requests,
        {device: tuple(points) for device, points in devices.items()},
        {device: frozenset(own_watches) for device, own_watches in watches_of.items()},
    )
