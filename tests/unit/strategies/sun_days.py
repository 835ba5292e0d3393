"""Sunrise, sunset and civil twilight of many places and days, from another source than ours."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.strategy import Position

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "sun_reference.csv"


class SunDay(NamedTuple):
    city: str
    position: Position
    zone: ZoneInfo
    day: date
    state: str
    sunrise: datetime | None
    sunset: datetime | None
    dawn: datetime | None
    dusk: datetime | None

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From local midnight to local midnight."""
        first, last = (
            datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
            for day in (self.day, self.day + timedelta(days=1))
        )
        return first, last


def reference_days() -> Iterator[SunDay]:
    with REFERENCE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rise, sunset, dawn, dusk = (
                datetime.fromisoformat(row[f"{name}_utc"]) if row[f"{name}_utc"] else None
                for name in ("sunrise", "sunset", "dawn_civil", "dusk_civil")
            )
            position = Position(float(row["lat"]), float(row["lon"]))
            day = date.fromisoformat(row["date"])
            yield SunDay(row["city"], position, ZoneInfo(row["tz"]), day, row["state"], rise, sunset, dawn, dusk)


DAYS = list(reference_days())
CITIES = sorted({day.city for day in DAYS})
