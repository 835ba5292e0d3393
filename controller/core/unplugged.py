"""What becomes of a system's points when nothing is said any more, by what the site's files declare. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from controller.core.point import DeviceTimeout, Heartbeat, Point, PointId, RemoteBit, Writable
from controller.core.site import Site
from controller.core.system import System


class Unplugged(NamedTuple):
    """dropped: points that their devices let go by themselves, with the seconds within which they do.

    stays: points that keep what was written last, each within its declared range.
    """

    dropped: Mapping[PointId, float]
    stays: tuple[Point, ...]

    @property
    def within(self) -> float:
        """Seconds until all of `dropped` is; 0 where there is none."""
        return max(self.dropped.values(), default=0.0)


def unplugged(system: System, site: Site) -> Unplugged:
    """Virtual points end with the process, a test case stands still, heartbeats mean nothing once they stop: all are
    left out."""
    ending = {each.point.id for link in site.links if not link.driver.lives_on for each in link.bindings}
    held = {
        point: writable
        for point in system.points
        if point not in ending and (writable := site.points[point].writable) is not None
    }
    beats = {each.on_silence.point for each in held.values() if isinstance(each.on_silence, Heartbeat)}
    dropped = {
        point: seconds
        for point, writable in held.items()
        if point not in beats and (seconds := _dropped_within(writable, site.points)) is not None
    }
    stays = tuple(site.points[point] for point in held if point not in dropped and point not in beats)
    return Unplugged(dropped, stays)


def _dropped_within(writable: Writable, points: Mapping[PointId, Point]) -> float | None:
    """A point whose remote bit drops is followed no longer, whatever it says of itself."""
    silence = writable.on_silence
    if isinstance(silence, (DeviceTimeout, Heartbeat)):
        return silence.after.total_seconds()
    if isinstance(writable.release, RemoteBit):
        remote = points[writable.release.point].writable
        return None if remote is None else _dropped_within(remote, points)
    return None
