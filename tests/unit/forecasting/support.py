"""A building whose load is known by construction: working hours, a weekend, cooling, a little noise."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.core.forecast import History, Readings

UTC_ZONE = ZoneInfo("UTC")
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
# A Monday.
START = datetime(2026, 1, 5, tzinfo=UTC)

Change = Callable[[int, datetime, float], float]


def stamp(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def temperature(moment: datetime) -> float:
    day = (moment - START) / timedelta(days=1)
    return 18.0 + 8.0 * math.sin(day / 11.0) + 4.0 * math.sin(2 * math.pi * (day - 0.4))


def load(local: datetime, degrees: float, noise: float) -> float:
    at_work = local.weekday() < 5 and 8 <= local.hour < 18
    cooling = 3.0 * max(degrees - 16.0, 0.0) * (1.0 if at_work else 0.3)
    return 20.0 + (60.0 if at_work else 0.0) + cooling + noise


def building(
    days: float,
    *,
    step: timedelta = timedelta(hours=1),
    zone: ZoneInfo = UTC_ZONE,
    change: Change | None = None,
    start: datetime = START,
    working_days: Mapping[date, bool] | None = None,
) -> History:
    """From `start` on, temperatures two days further than loads. `change` sees number, local time and load."""
    chance = random.Random(7)
    count, ahead = round(days * timedelta(days=1) / step), round(timedelta(days=2) / step)
    moments = [start + number * step for number in range(count + ahead)]
    loads: list[float] = []
    for number, moment in enumerate(moments[:count]):
        local = moment.astimezone(zone)
        value = load(local, temperature(moment), chance.gauss(0.0, 1.5))
        loads.append(value if change is None else change(number, local, value))
    return History(
        Readings(array("q", map(stamp, moments[:count])), array("d", loads)),
        Readings(array("q", map(stamp, moments)), array("d", map(temperature, moments))),
        zone,
        working_days or {},
    )


def end_of(history: History, step: timedelta = timedelta(hours=1)) -> datetime:
    return datetime.fromtimestamp(max(history.load.starts) / 1e6, UTC) + step
