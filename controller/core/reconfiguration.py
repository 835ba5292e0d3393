"""What a change of the configuration means for what is at work: what stays where it is, and what must be let go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from controller.core.configuration_hashes import ConfigurationHashes
from controller.core.point import Heartbeat, Point, PointId, RemoteBit
from controller.core.site import Link, Site


@dataclass(frozen=True, slots=True)
class Reconfiguration:
    """unmoved: points of both that live where they lived and mean what they meant; what was seen of them counts.

    let_go: writable points that have to be with their own controls before the change. moved_devices: those of wired
    links that have something where nothing of theirs was before, new ones included. same_links: those that are as they
    were, with all that their drivers were opened with; their connections stay.
    """

    unmoved: frozenset[PointId]
    let_go: frozenset[PointId]
    moved_devices: frozenset[str]
    same_links: frozenset[str]


def reconfiguration(old: Site, new: Site) -> Reconfiguration:
    """Pure; it hashes every place, so that a large site costs a good part of a second."""
    before, after = _places(old), _places(new)
    stayed = {id_ for id_, place in after.items() if before.get(id_) == place}
    unmoved = frozenset(id_ for id_ in stayed if id_ in new.points and _means_the_same(id_, old, new))
    moved = frozenset(
        binding.device
        for link in new.links
        if not link.driver.is_virtual
        for binding in link.bindings
        if binding.point.id not in stayed
    )
    return Reconfiguration(unmoved, _to_let_go(old, new, unmoved), moved, _same_links(old, new))


def keeping_virtual_values(old: Site, new: Site) -> Site:
    """The new site on the old one's virtual links where they are the same: their values live in this process."""
    virtual = {link.id: link for link in old.links if link.driver.is_virtual}

    def kept(link: Link) -> Link:
        earlier = virtual.get(link.id)
        if earlier is None or (link.driver.name, link.connection) != (earlier.driver.name, earlier.connection):
            return link
        return replace(link, connection=earlier.connection)

    return replace(new, links=tuple(map(kept, new.links)))


def _same_links(old: Site, new: Site) -> frozenset[str]:
    before = {link.id: link for link in old.links}
    return frozenset(link.id for link in new.links if link.id in before and _is_the_same(before[link.id], link))


def _is_the_same(one: Link, other: Link) -> bool:
    """Address, credentials, devices, their pace, and every point with all that is said of it."""
    return one.driver.name == other.driver.name and replace(one, driver=other.driver) == other


def _places(site: Site) -> Mapping[PointId, str]:
    """Where everything lives, the clocks of simulators included."""
    hashes = ConfigurationHashes(site)
    return {
        binding.point.id: f"{link.id} {binding.device} {hashes.of_place(binding.point.id)}"
        for link in site.links
        for binding in link.bindings
    }


def _means_the_same(id_: PointId, old: Site, new: Site) -> bool:
    one, other = old.points.get(id_), new.points[id_]
    return one is not None and (one.unit, one.type, one.states) == (other.unit, other.type, other.states)


def _to_let_go(old: Site, new: Site, unmoved: frozenset[PointId]) -> frozenset[PointId]:
    systems = [{point: system.id for system in site.systems for point in system.points} for site in (old, new)]
    writable = [point for point in old.points.values() if point.writable is not None]
    leaving = {
        point.id
        for point in writable
        if systems[0][point.id] != systems[1].get(point.id)
        or not _is_written_alike(point, new.points.get(point.id), unmoved)
    }
    # What hangs on a remote bit or heartbeat that goes, goes with it, and all else that hangs there.
    return frozenset(leaving | {point.id for point in writable if not leaving.isdisjoint(_hangs_on(point))})


def _is_written_alike(one: Point, other: Point | None, unmoved: frozenset[PointId]) -> bool:
    """Whether what was written to the one can be judged, kept and let go as the other."""
    if other is None or one.writable is None or other.writable is None:
        return False
    before, after = one.writable, other.writable
    return {one.id, after.readback} <= unmoved and (
        (before.release, before.on_silence, before.readback) == (after.release, after.on_silence, after.readback)
    )


def _hangs_on(point: Point) -> set[PointId]:
    assert point.writable is not None
    release, on_silence = point.writable.release, point.writable.on_silence
    found = {release.point} if isinstance(release, RemoteBit) else set[PointId]()
    return found | ({on_silence.point} if isinstance(on_silence, Heartbeat) else set[PointId]())
