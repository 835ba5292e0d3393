"""The sun's passages: against the full algorithm, brute force over terrain, an independent ephemeris; anywhere."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pytest

from controller.core.strategy import Position
from controller.core.terrain import Terrain, dark_limit, read_terrain
from strategies.blocks.sun import CIVIL, HORIZON, Passage, Sky, spans_below
from tests.sweep import sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "data"
# Degrees of elevation a second below which a sun is said to graze: at the equator it moves by 0.0042.
GRAZING = 0.0005


def full_elevation(moments: NDArray[Any], position: Position) -> tuple[NDArray[Any], NDArray[Any]]:
    """Elevation without refraction, and azimuth, by the whole algorithm of pvlib [°]."""
    from pvlib import spa

    algorithm = cast("Any", spa)
    first = datetime.fromtimestamp(float(moments[0]), UTC)
    delta_t = algorithm.calculate_deltat(first.year, first.month)
    angles = algorithm.solar_position_numpy(
        moments, position.latitude, position.longitude, 0.0, 1013.25, 12.0, delta_t, 0.5667, 1
    )
    return angles[3], angles[4]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def miss(passage: Passage, position: Position, limit: float) -> float:
    """By how many seconds at most the passages differ from the full algorithm's; grazing ones are left out."""
    moments = passage.moments
    around = np.concatenate([moments - 1.0, moments, moments + 1.0])
    before, at, after = np.split(full_elevation(around, position)[0], 3)
    slope = (after - before) / 2.0
    clear = np.abs(slope) > GRAZING
    return float(np.max(np.abs((at[clear] - limit) / slope[clear]), initial=0.0))


def random_positions(count: int, seed: int) -> list[Position]:
    chance = random.Random(seed)
    return [Position(chance.uniform(-66.0, 66.0), chance.uniform(-180.0, 180.0)) for _ in range(count)]


def test_events_are_those_of_the_full_algorithm_within_half_a_second() -> None:
    for nth, position in enumerate(random_positions(4, 1)):
        start = seconds(f"{1990 + 20 * nth}-01-01")
        sky = Sky(start, start + 60 * 86400.0)
        for limit in (HORIZON, CIVIL):
            passage = sky.passage(position, limit)
            assert 115 <= passage.moments.size <= 121
            assert miss(passage, position, limit) <= 0.5


@pytest.mark.slow
def test_ten_thousand_random_events_are_within_half_a_second() -> None:
    sky = Sky(seconds("2026-01-01"), seconds("2027-01-01"))
    positions = random_positions(16, 2)
    counted = 0
    for limit in (HORIZON, CIVIL):
        for position, passage in zip(positions, sky.passages(positions, [[limit] * 16])[0], strict=True):
            counted += passage.moments.size
            assert miss(passage, position, limit) <= 0.5
    assert counted > 10_000


def test_many_places_have_the_times_that_each_has_alone() -> None:
    positions = [*random_positions(5, 3), Position(78.2, 15.6), Position(-90.0, 0.0)]
    limits = [[-0.8333, -4.0, -6.0, 5.0, 0.0, -4.0, -1.0]]
    sky = Sky(seconds("2026-03-01"), seconds("2026-04-01"))
    for position, limit, passage in zip(positions, limits[0], sky.passages(positions, limits)[0], strict=True):
        alone = sky.passage(position, limit)
        assert passage.starts_below == alone.starts_below
        assert passage.moments == pytest.approx(alone.moments, abs=0.01)


# --- terrain ----------------------------------------------------------------------------------------------------------


def valley() -> Terrain:
    """Ridges in the east and the west, a peak in the south."""
    angles = {70: 8, 80: 14, 90: 21, 100: 25, 110: 12, 170: 9, 180: 28, 190: 11, 240: 18, 250: 31, 260: 24, 270: 6}
    return read_terrain("\n".join(f"{azimuth},{angles.get(azimuth, 2)}" for azimuth in range(0, 360, 10)))


@pytest.mark.parametrize("day", sweep(["2026-01-10", "2026-03-20", "2026-06-21"], fast=1))
def test_over_terrain_it_agrees_with_brute_force(day: str) -> None:
    """Every ten seconds of the day by the full algorithm: the same changes, each within ten seconds."""
    position, terrain = Position(29.65, 91.1, 3650.0), valley()
    start = seconds(day)
    moments = np.arange(start, start + 86400.0, 10.0)
    elevation, azimuth = full_elevation(moments, position)
    for limit in (terrain.sun_limit(), dark_limit(30.0, 3650.0, terrain)):
        assert isinstance(limit, tuple)
        is_below = elevation < np.interp(azimuth, np.arange(361.0), [*limit, limit[0]])
        (changes,) = np.nonzero(is_below[1:] != is_below[:-1])
        found = Sky(start, start + 86400.0).passage(position, limit)
        assert found.starts_below == is_below[0]
        assert found.moments.size == changes.size >= 2
        assert float(np.max(np.abs(found.moments - moments[changes] - 5.0))) <= 10.0


def test_terrain_only_lengthens_the_dark() -> None:
    position, terrain = Position(29.65, 91.1), valley()
    start, end = datetime(2026, 3, 20, 6, tzinfo=UTC), datetime(2026, 3, 21, 6, tzinfo=UTC)
    (level,), (hidden,) = spans_below(position, start, end, dark_limit(30.0), dark_limit(30.0, 0.0, terrain))
    assert level.start is not None
    assert level.end is not None
    assert hidden.start is not None
    assert hidden.end is not None
    assert timedelta(0) < level.start - hidden.start < timedelta(minutes=5)
    assert timedelta(0) < hidden.end - level.end < timedelta(minutes=5)


# --- an independent ephemeris -----------------------------------------------------------------------------------------


class Almanac(NamedTuple):
    place: str
    position: Position
    start: float
    horizon: list[float]
    civil: list[float]


def almanac() -> list[Almanac]:
    with (DATA / "sun_almanac.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [
            Almanac(
                row["place"],
                Position(float(row["latitude"]), float(row["longitude"])),
                seconds(row["utc_day"]),
                [seconds(each) for each in row["horizon"].split()],
                [seconds(each) for each in row["civil"].split()],
            )
            for row in rows
        ]


def test_times_are_those_of_an_independent_ephemeris() -> None:
    """Within a second; where the sun grazes its limit, within what 0.0005° are there (at most half a minute)."""
    days = almanac()
    assert len(days) == 30
    for day in days:
        sky = Sky(day.start, day.start + 86400.0)
        for limit, expected in ((HORIZON, day.horizon), (CIVIL, day.civil)):
            moments = sky.passage(day.position, limit).moments
            assert moments.size == len(expected), day
            if not expected:
                continue
            elevation, _ = sky.position(np.array([*(moments - 1.0), *(moments + 1.0)]), day.position)
            low, high = np.split(elevation, 2)
            tolerance = np.clip(0.0005 / np.abs((high - low) / 2.0), 1.0, 30.0)
            assert (np.abs(moments - expected) <= tolerance).all(), (day, moments)


# --- anywhere, any day ------------------------------------------------------------------------------------------------


def test_no_draw_of_place_and_day_fails() -> None:
    """300 draws, 1990 to 2060: passages alternate, and lie on their limit."""
    chance = random.Random(4)
    for _ in range(30):
        start = seconds("1990-01-01") + chance.randrange(70 * 365) * 86400.0
        sky = Sky(start, start + 3 * 86400.0)
        places = [Position(chance.uniform(-90.0, 90.0), chance.uniform(-180.0, 180.0)) for _ in range(10)]
        for position, passage in zip(places, sky.passages(places, [[HORIZON] * 10])[0], strict=True):
            judge(sky, position, passage)
            judge_limit(sky, position, passage)


@pytest.mark.slow
def test_no_day_of_seventy_years_fails_at_two_hundred_places() -> None:
    chance = random.Random(5)
    places = [Position(chance.uniform(-90.0, 90.0), chance.uniform(-180.0, 180.0)) for _ in range(194)]
    places += [Position(latitude, 0.0) for latitude in (-90.0, 90.0, 66.56, -66.56, 67.4, 0.0)]
    for year in range(1990, 2061):
        sky = Sky(seconds(f"{year}-01-01"), seconds(f"{year + 1}-01-01"))
        for first in range(0, 200, 20):
            chosen = places[first : first + 20]
            passages = sky.passages(chosen, [[HORIZON] * 20])[0]
            for position, passage in zip(chosen, passages, strict=True):
                judge(sky, position, passage)
            judge_limit(sky, chosen[year % 20], passages[year % 20])


def judge(sky: Sky, position: Position, passage: Passage) -> None:
    moments = passage.moments
    assert moments.size < 2 or float(np.diff(moments).min()) >= 0.0, position
    if abs(position.latitude) < 65.0:
        days = (sky.grid[-1] - sky.grid[0]) / 86400.0
        assert abs(moments.size - 2.0 * days) <= 2, position


def judge_limit(sky: Sky, position: Position, passage: Passage) -> None:
    """Each passage lies on the limit."""
    elevation, _ = sky.position(passage.moments, position)
    assert float(np.max(np.abs(elevation - HORIZON), initial=0.0)) < 0.001, position
