"""Hours through which a chiller ran, from the hourly figures of its points. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from controller.core.clean_baseline import OperatingHour
from controller.core.ports import Aggregate

QUANTITIES = (
    "status",
    "power",
    "energy",
    "cooling_energy",
    "leaving_condenser_water_temperature",
    "leaving_chilled_water_temperature",
    "saturated_condensing_temperature",
)
# An hour in which it started, stopped or was out of sight says nothing of how it runs.
_RUN_SHARE = 0.99
_GOOD_SHARE = 0.9
_HOUR = timedelta(hours=1)

_Hours = Mapping[str, Mapping[datetime, Aggregate]]


def can_be_compared(quantities: Collection[str]) -> bool:
    """Whether power, and what it was for or what the condenser did, is measured."""
    of_condenser = {"saturated_condensing_temperature", "leaving_condenser_water_temperature"}
    has_power = "power" in quantities or "energy" in quantities
    return has_power and ("cooling_energy" in quantities or of_condenser <= set(quantities))


def operating_hours(read: Mapping[str, Sequence[Aggregate]]) -> list[OperatingHour]:
    """By quantity, hourly, in order of time. A counter needs the hour before, too."""
    hours: _Hours = {name: {each.start: each for each in rows} for name, rows in read.items()}
    found = [_hour(hours, start) for start in hours.get("status", {})]
    return [each for each in found if each is not None]


def _hour(hours: _Hours, start: datetime) -> OperatingHour | None:
    running = _mean(hours, "status", start)
    power = _counted(hours, "energy", start)
    if power is None:
        power = _mean(hours, "power", start)
    if running is None or running < _RUN_SHARE or power is None or power <= 0:
        return None
    cooling = _counted(hours, "cooling_energy", start)
    if "cooling_energy" in hours and (cooling is None or cooling <= 0):
        return None  # of an hour without it, the load is not known
    leaving = _mean(hours, "leaving_condenser_water_temperature", start)
    chilled = _mean(hours, "leaving_chilled_water_temperature", start)
    condensing = _mean(hours, "saturated_condensing_temperature", start)
    lift = None if leaving is None or chilled is None else leaving - chilled
    approach = None if leaving is None or condensing is None else condensing - leaving
    return OperatingHour(start, power, cooling, lift, approach)


def _mean(hours: _Hours, quantity: str, start: datetime) -> float | None:
    found = hours.get(quantity, {}).get(start)
    return None if found is None or found.good_share < _GOOD_SHARE else found.mean


def _counted(hours: _Hours, quantity: str, start: datetime) -> float | None:
    """kWh within the hour, which is its mean in kW. A counter that went back was reset."""
    now, before = (hours.get(quantity, {}).get(at) for at in (start, start - _HOUR))
    if now is None or before is None or now.last is None or before.last is None:
        return None
    if min(now.good_share, before.good_share) < _GOOD_SHARE or now.last < before.last:
        return None
    return now.last - before.last
