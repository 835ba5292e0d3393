"""How a simulated device proves what it is: a nonce, the time it lives in, and its speed, served beside its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from controller.core.point import PointId
from controller.core.sample import Sample
from controller.core.site import Device

# What a real device's registers happen to spell lies outside.
_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 7_258_118_400_000  # the years 2000 to 2200
_FASTEST = 3600.0


class Proof(NamedTuple):
    """What one device says of itself; nonce None: it is no simulator, or it is silent."""

    device: str
    nonce: int | None
    now: datetime | None = None
    speed: float = 1.0


def proof_points(devices: Iterable[Device]) -> list[PointId]:
    """What to read of those that may be simulators."""
    clocks = [device.simulation for device in devices if device.simulation is not None]
    return [point for clock in clocks for point in (clock.nonce, clock.time, clock.speed)]


def proof_of(device: Device, samples: Mapping[PointId, Sample]) -> Proof:
    """By what was read of `proof_points`."""
    clock = device.simulation
    if clock is None:
        return Proof(device.id, None)
    nonce, time, speed = (samples[point].value for point in (clock.nonce, clock.time, clock.speed))
    if not (isinstance(nonce, int) and isinstance(time, (int, float)) and isinstance(speed, (int, float))):
        return Proof(device.id, None)
    if nonce == 0 or not _EARLIEST_MS <= time <= _LATEST_MS or not 1.0 <= speed <= _FASTEST:
        return Proof(device.id, None)
    return Proof(device.id, nonce, datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time), float(speed))
