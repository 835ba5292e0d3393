"""What the greatest demand costs: the charge of two-part tariffs, for the share of each month that was looked at.

A month is billed by the greatest mean power in it. Who has seen ten of its days knows the greatest of these, and is
charged ten days' share; so months that were seen whole are charged as the bill would.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from controller.core.tariff import DemandCharge, Tariff, Version
from controller.core.tariff_calendar import Band
from simulator.kpi import INTERVAL_S, Quarter

_ONE_DAY = timedelta(days=1)


class _Part(NamedTuple):
    """Days of one month on which one version is in force."""

    version: Version
    days: frozenset[date]


def has_demand_charge(tariff: Tariff | None, first: date, end: date) -> bool:
    """Whether there is one on any local date from `first` up to, but without, `end`."""
    if tariff is None:
        return False
    parts = _parts(tariff, first, end)
    return any(month in each.months for month, part in parts for each in part.version.demand_charges)


def demand_charge(tariff: Tariff, quarters: Sequence[Quarter], first: date, end: date) -> float:
    """In the tariff's money; 0 where it has no such charge. quarters: of the whole site, by time; an interval of demand
    that is no multiple of them is rounded to one.
    """
    money = 0.0
    for month, part in _parts(tariff, first, end):
        share = len(part.days) / _days_of(month, part)
        seen = [each for each in quarters if _local(tariff, each.start).date() in part.days]
        charges = [each for each in part.version.demand_charges if month in each.months]
        money += share * sum(each.price * _greatest(tariff, each, seen) for each in charges)
    return money


def _parts(tariff: Tariff, first: date, end: date) -> list[tuple[int, _Part]]:
    """By month of the year."""
    days = [first + number * _ONE_DAY for number in range((end - first).days)]
    found: list[tuple[int, _Part]] = []
    for (_, month), of_month in groupby(days, key=lambda day: (day.year, day.month)):
        members = list(of_month)
        for version in tariff.versions:
            in_force = frozenset(day for day in members if version.in_force(day))
            if in_force:
                found.append((month, _Part(version, in_force)))
    return found


def _days_of(month: int, part: _Part) -> int:
    return monthrange(min(part.days).year, month)[1]


def _greatest(tariff: Tariff, charge: DemandCharge, quarters: Sequence[Quarter]) -> float:
    """Mean power of the greatest interval in the bands of the charge [kW]; 0 without any."""
    if charge.bands != frozenset(Band):
        quarters = [each for each in quarters if tariff.band_at(_local(tariff, each.start)) in charge.bands]
    count = max(1, round(charge.interval.total_seconds() / INTERVAL_S))
    blocks = groupby(quarters, key=lambda each: each.start // (count * INTERVAL_S))
    powers = [[each.power for each in block] for _, block in blocks]
    return max((sum(block) / count for block in powers if len(block) == count), default=0.0)


def _local(tariff: Tariff, epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC).astimezone(tariff.zone)
