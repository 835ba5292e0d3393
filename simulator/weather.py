"""The outdoor conditions of a typical year, hourly, interpolated."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, overload

from controller.core.physics import (
    STANDARD_PRESSURE,
    humidity_ratio,
    moist_air_enthalpy,
    relative_humidity_from_dew_point,
    wet_bulb,
)
from simulator.plant.record import record
from simulator.records import Instants, RecordFile, Row
from simulator.sun import clear_sky_irradiance, solar_elevation

HOURS_PER_YEAR = 8760
# A year without 29 February carries the typical year; the 29th repeats the 28th.
_CALENDAR_YEAR = 2019
# Below this elevation hourly irradiance says little about cloud: the last such hour of daylight stands for twilight.
_CLOUD_ELEVATION = 10.0
# Dense overcast passes about a tenth of the clear sky's light; a typical year may say less at low sun.
_DARKEST_OVERCAST = 0.1
_FEWEST_HOURS = 24
_DRIEST_HIGHEST_PCT = 1.0


class Outdoor(NamedTuple):
    """temperature and wet_bulb [degC], relative_humidity [0..1], enthalpy [kJ/kg dry air], irradiance: global
    horizontal [W/m2], sky: share of the clear sky's light that passes the clouds [0..1].
    """

    temperature: float
    relative_humidity: float
    wet_bulb: float
    enthalpy: float
    irradiance: float
    sky: float


class HoursAsAsked(Sequence[Outdoor]):
    """Each found once it is asked for: the wet bulb of a whole year takes half a second, and few runs last a year."""

    def __init__(self, hours: int, find: Callable[[int], Outdoor]) -> None:
        self._hours = hours
        self._find = find
        self._known: dict[int, Outdoor] = {}

    def __len__(self) -> int:
        return self._hours

    @overload
    def __getitem__(self, index: int) -> Outdoor: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Outdoor]: ...

    def __getitem__(self, index: int | slice) -> Outdoor | Sequence[Outdoor]:
        if isinstance(index, slice):
            return [self[hour] for hour in range(*index.indices(self._hours))]
        known = self._known.get(index)
        if known is None:
            if not -self._hours <= index < self._hours:
                raise IndexError(index)
            known = self._known[index] = self._find(index)
        return known


@dataclass(frozen=True, slots=True)
class Weather:
    """A typical year: one `Outdoor` for each of 8760 full hours of local standard time.

    Temperatures and humidities are instants at the hour; irradiance is the mean of the hour that ends there. sun:
    temperature [degC] and irradiance [W/m2] of each hour, where they are known before the rest of it.

    """

    hours: Sequence[Outdoor]
    source: str
    sun: Sequence[tuple[float, float]] = field(default=(), compare=False, repr=False)

    def temperatures(self) -> list[float]:
        """Of every hour [degC]."""
        return [temperature for temperature, _ in self.sun] or [hour.temperature for hour in self.hours]

    def irradiances(self) -> list[float]:
        """Of every hour [W/m2]."""
        return [irradiance for _, irradiance in self.sun] or [hour.irradiance for hour in self.hours]

    def at(self, hour_of_year: float) -> Outdoor:
        """Conditions at an hour of the year [h since 1 January 00:00], linear between hours, cyclic."""
        index = int(hour_of_year)
        share = hour_of_year - index
        hours = self.hours
        here, there = hours[index % HOURS_PER_YEAR], hours[(index + 1) % HOURS_PER_YEAR]
        # the mean of an hour belongs to its middle, half an hour before its end
        middle = hour_of_year + 0.5
        sun_index = int(middle)
        sun_share = middle - sun_index
        sun_here, sun_there = here, there
        if sun_index != index:
            sun_here, sun_there = there, hours[(sun_index + 1) % HOURS_PER_YEAR]
        dry, humid, wet, enthalpy = here[:4]
        _, _, _, _, irradiance, sky = sun_here
        return record(
            Outdoor,
            (
                dry + share * (there[0] - dry),
                humid + share * (there[1] - humid),
                wet + share * (there[2] - wet),
                enthalpy + share * (there[3] - enthalpy),
                irradiance + sun_share * (sun_there[4] - irradiance),
                sky + sun_share * (sun_there[5] - sky),
            ),
        )

    def sky_at(self, hour_of_year: float) -> float:
        """Share of the clear sky's light alone, as `at` tells it."""
        middle = hour_of_year + 0.5
        index = int(middle)
        here, there = self.hours[index % HOURS_PER_YEAR].sky, self.hours[(index + 1) % HOURS_PER_YEAR].sky
        return here + (middle - index) * (there - here)


class _Reading(NamedTuple):
    temperature: float
    relative_humidity: float
    pressure: float
    irradiance: float


def hour_of_year(day: date) -> int:
    """Hours of the typical year before a day; 29 February counts as the 28th."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return (date(_CALENDAR_YEAR, day.month, day.day) - date(_CALENDAR_YEAR, 1, 1)).days * 24


def read_weather(path: Path, *, latitude: float, longitude: float, utc_offset_h: float) -> Weather:
    """A typical year (`month, day, hour_ending, ...`) or a dated record (`timestamp, ...`) as a typical year.

    Columns: temp_c; rh_pct or dewpoint_c; ghi_wh_m2 or ghi_w_m2; optionally pressure_pa. A dated record is folded on
    month, day and hour, the first year that has the hour wins; gaps take the same hour of the nearest day that has it.
    Raises ValueError with the line number and what would be right.

    """
    file = RecordFile(path)
    columns = file.columns()
    _check_columns(file, columns)
    readings: dict[int, _Reading] = {}
    when = _typical_hour(file, columns)
    for line, row in file.rows():
        hour, reading = when(line, row), _reading(file, line, row)
        if reading is not None:
            readings.setdefault(hour, reading)
    _refuse_shares(file, columns, readings.values())
    if len(readings) < _FEWEST_HOURS:
        raise file.problem(1, f"{len(readings)} complete hours", f"at least {_FEWEST_HOURS} hours, best a whole year")
    return _complete(_without_gaps(readings), path.name, latitude, longitude, utc_offset_h)


class MissingHour(NamedTuple):
    """line: the one that is incomplete, else the last before the gap; hour of the typical year."""

    line: int
    hour: int


def missing_hours(path: Path, needed: Collection[int]) -> list[MissingHour]:
    """Which of these hours of the typical year a file does not have whole. Raises ValueError as `read_weather` does."""
    file = RecordFile(path)
    columns = file.columns()
    _check_columns(file, columns)
    when = _typical_hour(file, columns)
    complete: dict[int, int] = {}
    incomplete: dict[int, int] = {}
    readings: list[_Reading] = []
    for line, row in file.rows():
        hour, reading = when(line, row), _reading(file, line, row)
        (incomplete if reading is None else complete).setdefault(hour, line)
        if reading is not None:
            readings.append(reading)
    _refuse_shares(file, columns, readings)
    missing: list[MissingHour] = []
    last = 1
    for hour in sorted(needed):
        if hour in complete:
            last = complete[hour]
        else:
            missing.append(MissingHour(incomplete.get(hour, last), hour))
    return missing


def _check_columns(file: RecordFile, columns: Sequence[str]) -> None:
    needs = (
        (("timestamp", "hour_ending"), "timestamp, or month, day and hour_ending"),
        (("temp_c",), "temp_c"),
        (("rh_pct", "dewpoint_c"), "rh_pct or dewpoint_c"),
        (("ghi_wh_m2", "ghi_w_m2"), "ghi_wh_m2 or ghi_w_m2"),
    )
    for names, right in needs:
        if not any(name in columns for name in names):
            raise file.problem(1, f"no column {right}", f"the columns found ({', '.join(columns)}) to include {right}")
    if "timestamp" not in columns and not {"month", "day"} <= set(columns):
        raise file.problem(1, "no columns month and day", "month, day and hour_ending, or timestamp")


def _typical_hour(file: RecordFile, columns: Sequence[str]) -> Callable[[int, Row], int]:
    """How a line's instant is found: hour of the typical year. Hours run 0-23 where any line says 0, else 1-24."""
    if "timestamp" in columns:
        instants = Instants(file)

        def dated(line: int, row: Row) -> int:
            at = instants.of(line, row)
            return hour_of_year(at.date()) + at.hour

        return dated

    def typical(line: int, row: Row) -> int:
        month = file.whole(line, row, "month", 1, 12)
        day = file.whole(line, row, "day", 1, 31)
        hour = file.whole(line, row, "hour_ending", 0, 24)
        try:
            start = hour_of_year(date(2020, month, day))
        except ValueError:
            raise file.problem(line, f"day is {day} in month {month}", "a day that the month has") from None
        return (start + hour) % HOURS_PER_YEAR

    return typical


def _reading(file: RecordFile, line: int, row: Row) -> _Reading | None:
    """One complete hour, None where a needed field is empty."""
    temperature = file.number(line, row, "temp_c", -60.0, 60.0)
    humidity = file.number(line, row, "rh_pct", 0.0, 110.0) if "rh_pct" in row else None
    dew_point = file.number(line, row, "dewpoint_c", -80.0, 60.0) if "dewpoint_c" in row else None
    radiation = "ghi_wh_m2" if "ghi_wh_m2" in row else "ghi_w_m2"
    irradiance = file.number(line, row, radiation, -20.0, 1500.0)
    pressure = file.number(line, row, "pressure_pa", 50000.0, 110000.0) if "pressure_pa" in row else None
    if temperature is None or irradiance is None or (humidity is None and dew_point is None):
        return None
    if humidity is not None:
        relative = min(1.0, max(0.01, humidity / 100.0))
    else:
        relative = relative_humidity_from_dew_point(temperature, dew_point or 0.0)
    return _Reading(
        temperature, relative, STANDARD_PRESSURE if pressure is None else pressure / 1000.0, max(0.0, irradiance)
    )


def _refuse_shares(file: RecordFile, columns: Sequence[str], readings: Collection[_Reading]) -> None:
    """Humidity from 0 to 1 in place of percent would be a desert's, and refused by no single line."""
    if "rh_pct" in columns and readings:
        highest = 100.0 * max(each.relative_humidity for each in readings)
        if highest <= _DRIEST_HIGHEST_PCT:
            raise file.problem(1, f"rh_pct is never above {highest:g}", "relative humidity in percent, from 0 to 100")


def _without_gaps(readings: dict[int, _Reading]) -> list[_Reading]:
    """All hours of the year; a missing one takes the same hour of the nearest day that has it."""
    days = HOURS_PER_YEAR // 24

    def nearest(hour: int) -> _Reading:
        for distance in range(days // 2 + 1):
            for sign in (-1, 1):
                found = readings.get((hour + sign * distance * 24) % HOURS_PER_YEAR)
                if found is not None:
                    return found
        return nearest((hour + 1) % HOURS_PER_YEAR)

    return [nearest(hour) for hour in range(HOURS_PER_YEAR)]


def year_start(utc_offset_h: float) -> float:
    """Unix time [s] at which the typical year begins, in local standard time."""
    return (date(_CALENDAR_YEAR, 1, 1) - date(1970, 1, 1)) / timedelta(seconds=1) - utc_offset_h * 3600.0


def _complete(
    readings: Sequence[_Reading], source: str, latitude: float, longitude: float, utc_offset_h: float
) -> Weather:
    sky = _sky(readings, latitude, longitude, utc_offset_h)
    hours = HoursAsAsked(len(readings), partial(_measured, readings, sky))
    return Weather(hours, source, [(each.temperature, each.irradiance) for each in readings])


def _measured(readings: Sequence[_Reading], sky: Sequence[float], hour: int) -> Outdoor:
    temperature, relative, pressure, irradiance = readings[hour]
    humidity = humidity_ratio(temperature, relative, pressure)
    return Outdoor(
        temperature,
        relative,
        wet_bulb(temperature, relative, pressure),
        moist_air_enthalpy(temperature, humidity),
        irradiance,
        sky[hour],
    )


def _sky(readings: Sequence[_Reading], latitude: float, longitude: float, utc_offset_h: float) -> list[float]:
    """Share of the clear sky's light that passes, for the hour that ends at each hour; twilight takes the nearest day.

    Ratio of the measured to the clear-sky irradiance at the middle of the hour (clearness after Haurwitz).

    """
    begins = year_start(utc_offset_h)
    shares: list[float] = []
    for hour, reading in enumerate(readings):
        elevation = solar_elevation(begins + (hour - 0.5) * 3600.0, latitude, longitude)
        if elevation < _CLOUD_ELEVATION:
            shares.append(math.nan)
            continue
        shares.append(min(1.0, max(_DARKEST_OVERCAST, reading.irradiance / clear_sky_irradiance(elevation))))
    return _held(shares)


def _held(shares: list[float]) -> list[float]:
    """Gaps (night) filled from the nearer neighbour in time; a polar night counts as clear."""
    forward = _filled(shares)
    backward = _filled(shares[::-1])[::-1]
    return [
        value if distance <= other_distance else other
        for (value, distance), (other, other_distance) in zip(forward, backward, strict=True)
    ]


def _filled(shares: Sequence[float]) -> list[tuple[float, int]]:
    last, distance = 1.0, len(shares)
    filled: list[tuple[float, int]] = []
    for share in shares:
        last, distance = (last, distance + 1) if math.isnan(share) else (share, 0)
        filled.append((last, distance))
    return filled
