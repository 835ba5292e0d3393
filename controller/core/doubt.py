"""Readings that a device calls good and that cannot be: a value that stands still, a value that jumps.

What is impossible by its size alone is refused by the driver (`plausible`); this needs what was read before. The two
tests are the flat line test and the rate of change test of the QARTOD manuals (U.S. Integrated Ocean Observing
System) for sensors that nobody watches. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from controller.core.sample import Quality, Sample, Scalar, as_number

# Two readings within less than a second differ by noise, too.
SHORTEST_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """When a reading of a point is not believed.

    frozen_after: a value that has not changed for so long is the sensor's last one. plausible_rate: largest change per
    second, in the point's unit; what differs more is believed once the next reading stands by it.
    """

    frozen_after: timedelta | None = None
    plausible_rate: float | None = None


class Reading(NamedTuple):
    """value, received: of one sample (monotonic)."""

    value: Scalar
    received: float


class Past(NamedTuple):
    """What came before. since: when the latest value was first read. believed: the latest that did not jump."""

    latest: Reading
    since: float
    believed: Reading


def doubted(sample: Sample, doubt: Doubt, past: Past | None) -> tuple[Sample, Past | None]:
    """The sample as far as it may be believed, and the past of the next one. A gap begins a new past."""
    if sample.value is None or sample.quality is Quality.BAD:
        return sample, None
    reading = Reading(sample.value, sample.received)
    if past is None:
        return sample, Past(reading, sample.received, reading)
    since = past.since if reading.value == past.latest.value else reading.received
    if _jumps(past.believed, reading, doubt) and _jumps(past.latest, reading, doubt):
        reason = f"jumped from {past.believed.value} to {reading.value}, more than {doubt.plausible_rate:g} per second"
        return sample.worsened(Quality.BAD, reason), Past(reading, since, past.believed)
    if doubt.frozen_after is not None and reading.received - since > doubt.frozen_after.total_seconds():
        sample = sample.worsened(Quality.BAD, f"frozen: has not changed for more than {doubt.frozen_after}")
    return sample, Past(reading, since, reading)


def _jumps(one: Reading, other: Reading, doubt: Doubt) -> bool:
    before, after = as_number(one.value), as_number(other.value)
    if doubt.plausible_rate is None or before is None or after is None:
        return False
    return abs(after - before) > doubt.plausible_rate * max(SHORTEST_STEP_S, other.received - one.received)
