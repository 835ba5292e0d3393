"""Where each writable point stands in the site: what the writer must know of it beside its present holding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.core.handover import ReleaseOrder, machines_of
from controller.core.ledger import fades_after
from controller.core.point import Heartbeat, Point, PointId, RemoteBit, Writable
from controller.core.site import Site
from controller.core.system import System


@dataclass(frozen=True, slots=True)
class Place:
    """yield_for: seconds that an override is left alone. remote: the bit that hands the point over. hands_over: the
    points that follow it, if it is a remote bit itself. fades_after: seconds after which its device is told once more.
    outcomes: where what became of a write is seen."""

    writable: Writable
    link: str
    system: System
    order: ReleaseOrder
    yield_for: float
    remote: PointId | None
    hands_over: tuple[PointId, ...]
    is_heartbeat: bool
    fades_after: float
    outcomes: frozenset[PointId]


def places_of(site: Site) -> Mapping[PointId, Place]:
    link_of = {point: link.id for link in site.links for device in link.devices for point in device.points}
    writables = [point for point in site.points.values() if point.writable is not None]
    machines = {machine.remote: machine.points for machine in machines_of(writables)}
    heartbeats = {
        point.on_silence.point for point in map(writable_of, writables) if isinstance(point.on_silence, Heartbeat)
    }
    places: dict[PointId, Place] = {}
    for system in site.systems:
        order = ReleaseOrder(system)
        for point in system.points:
            writable = writable_of(site.points[point])
            places[point] = Place(
                writable,
                link_of[point],
                system,
                order,
                system.yield_for.total_seconds(),
                remote=writable.release.point if isinstance(writable.release, RemoteBit) else None,
                hands_over=machines.get(point, ()),
                is_heartbeat=point in heartbeats,
                fades_after=fades_after(writable),
                outcomes=_outcomes(writable),
            )
    return places


def _outcomes(writable: Writable) -> frozenset[PointId]:
    effect = writable.effect
    return frozenset((writable.readback,) if effect is None else (writable.readback, effect.point))


def writable_of(point: Point) -> Writable:
    if point.writable is None:
        raise AssertionError(f"{point.id} is not writable and can never be held")
    return point.writable
