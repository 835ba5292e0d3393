"""When the devices of a link are due: an absolute grid, so that no period drifts; missed rounds are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from controller.core.point import PointId
from controller.core.site import Device


class Round(NamedTuple):
    """What is read together, and the devices of which that is everything. A driver may plan by the points, which are
    the same tuple each time.
    """

    points: tuple[PointId, ...]
    whole: tuple[Device, ...]


class _Poll(NamedTuple):
    """One round of a device: all its points, or only the urgent ones. period [s]."""

    device: Device
    points: tuple[PointId, ...]
    period: float
    is_whole: bool


class PollGrid:
    """Devices with the same period are due at the same times: the grid has a line for each period, not for each
    device.
    """

    def __init__(self, devices: Sequence[Device], start: float) -> None:
        """start: monotonic time of the first round, which has everything."""
        self._polls = [poll for device in devices for poll in _polls_of(device)]
        self._periods = tuple(dict.fromkeys(poll.period for poll in self._polls))
        self._next = [start] * len(self._periods)
        self._rounds: dict[tuple[float, ...], Round] = {}
        self.next_due = start

    def due(self, monotonic: float) -> Round:
        """What is to be read now."""
        due: list[float] = []
        for index, period in enumerate(self._periods):
            late = monotonic - self._next[index]
            if late >= 0.0:
                self._next[index] += (late // period + 1) * period
                due.append(period)
        self.next_due = min(self._next)
        key = tuple(due)
        if key not in self._rounds:
            self._rounds[key] = self._round(key)
        return self._rounds[key]

    def _round(self, periods: Sequence[float]) -> Round:
        polls = list(self._due_at(periods))
        points = tuple(point for poll in polls for point in poll.points)
        return Round(points, tuple(poll.device for poll in polls if poll.is_whole))

    def _due_at(self, periods: Sequence[float]) -> Iterator[_Poll]:
        """A device's whole poll has the urgent points in it."""
        whole: Device | None = None
        for poll in self._polls:
            if poll.period in periods and poll.device is not whole:
                whole = poll.device if poll.is_whole else None
                yield poll


def _polls_of(device: Device) -> list[_Poll]:
    """The whole one first."""
    whole = _Poll(device, device.points, device.poll_every.total_seconds(), is_whole=True)
    if device.urgent_every is None:
        return [whole]
    return [whole, _Poll(device, device.urgent, device.urgent_every.total_seconds(), is_whole=False)]
