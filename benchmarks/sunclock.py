"""How exact the sun clock is, what ten thousand places cost, and what it saves against a fixed clock.

Run: python benchmarks/sunclock.py [--quick]; reads tests/data/sun_reference.csv and sun_almanac.csv. Targets: median
<= 1 s and max <= 5 s against the reference; <= 0.5 s against the full algorithm at 10,000 events; <= 10 s over terrain
by brute force; 10,000 places x 1 year < 60 s and < 500 MB on one core; 100 places x 1 day < 2 s with start-up. --quick:
a tenth of the places.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import numpy as np

from controller.core.strategy import Position
from controller.core.terrain import dark_limit, read_terrain
from controller.sunclock.places import Place
from controller.sunclock.sun_times import Event, day, timelines
from strategies.blocks.sun import CIVIL, HORIZON, Sky

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
COLUMNS = {
    Event.DAWN: "dawn_civil_utc",
    Event.SUNRISE: "sunrise_utc",
    Event.SUNSET: "sunset_utc",
    Event.DUSK: "dusk_civil_utc",
}
EVENTS = 10_000
# Degrees a second below which the sun grazes its limit and a time means little.
GRAZING = 0.0005
YEAR = 2026
FIXED_CLOCK_CITIES = (("Shanghai", 31.2304, 121.4737), ("Shenzhen", 22.5431, 114.0579))


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def place(name: str, latitude: float, longitude: float, zone: str) -> Place:
    return Place(name, name, ZoneInfo(zone), Position(latitude, longitude), dark_limit(30.0))


def reference() -> str:
    misses: list[float] = []
    with (DATA / "sun_reference.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for text in sorted({row["date"] for row in rows}):
        chosen = [row for row in rows if row["date"] == text]
        places = [place(row["city"], float(row["lat"]), float(row["lon"]), row["tz"]) for row in chosen]
        for row, timeline in zip(chosen, timelines(places, date.fromisoformat(text), 2), strict=True):
            ours = day(timeline, 0)
            if ours.season.value != row["state"]:
                raise SystemExit(f"season differs: {row}")
            for event, column in COLUMNS.items():
                for moment in ours.times[event]:
                    misses.append(abs((moment - datetime.fromisoformat(row[column])).total_seconds()))
    return f"median {median(misses):.1f} s, max {max(misses):.1f} s of {len(misses)} times"


def almanac() -> str:
    misses: list[float] = []
    with (DATA / "sun_almanac.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for row in rows:
        start = seconds(row["utc_day"])
        sky = Sky(start, start + 86_400.0)
        position = Position(float(row["latitude"]), float(row["longitude"]))
        for limit, column in ((HORIZON, "horizon"), (CIVIL, "civil")):
            expected = [seconds(each) for each in row[column].split()]
            found = sky.passage(position, limit).moments.tolist()
            misses += [abs(one - other) for one, other in zip(found, expected, strict=True)]
    return f"median {median(misses):.2f} s, max {max(misses):.1f} s of {len(misses)} times on {len(rows)} days"


def full_elevation(moments: NDArray[Any], position: Position) -> tuple[NDArray[Any], NDArray[Any]]:
    from pvlib import spa

    algorithm = cast("Any", spa)
    delta_t = algorithm.calculate_deltat(YEAR, 7)
    angles = algorithm.solar_position_numpy(
        moments, position.latitude, position.longitude, 0.0, 1013.25, 12.0, delta_t, 0.5667, 1
    )
    return angles[3], angles[4]


def random_events() -> str:
    """The error in time is the error in elevation at the event, over the sun's speed there."""
    chance = random.Random(1)
    sky = Sky(seconds(f"{YEAR}-01-01"), seconds(f"{YEAR + 1}-01-01"))
    worst, counted, grazing = 0.0, 0, 0
    while counted < EVENTS:
        position = Position(chance.uniform(-72.0, 72.0), chance.uniform(-180.0, 180.0))
        for limit in (HORIZON, CIVIL):
            moments = sky.passage(position, limit).moments
            before, at, after = np.split(
                full_elevation(np.concatenate([moments - 1.0, moments, moments + 1.0]), position)[0], 3
            )
            slope = (after - before) / 2.0
            clear = np.abs(slope) > GRAZING
            worst = max(worst, float(np.max(np.abs((at[clear] - limit) / slope[clear]), initial=0.0)))
            counted, grazing = counted + int(clear.sum()), grazing + int((~clear).sum())
    return f"max {worst:.3f} s of {counted} events ({grazing} more graze)"


def over_terrain() -> str:
    chance = random.Random(2)
    worst, counted = 0.0, 0
    for nth in range(12):
        text = "\n".join(f"{azimuth},{chance.uniform(0.0, 30.0)}" for azimuth in range(0, 360, 10))
        terrain, position = read_terrain(text), Position(chance.uniform(-50.0, 50.0), chance.uniform(-180.0, 180.0))
        start = seconds(f"{YEAR}-{nth + 1:02d}-15")
        moments = np.arange(start, start + 86_400.0, 1.0)
        elevation, azimuth = full_elevation(moments, position)
        for limit in (terrain.sun_limit(), dark_limit(30.0, 500.0, terrain)):
            assert isinstance(limit, tuple)
            is_below = elevation < np.interp(azimuth, np.arange(361.0), [*limit, limit[0]])
            changes = lasting((np.nonzero(is_below[1:] != is_below[:-1])[0] + start + 0.5).tolist())
            found = lasting(Sky(start, start + 86_400.0).passage(position, limit).moments.tolist())
            if len(found) != len(changes):
                raise SystemExit(f"{len(found)} passages, by brute force {len(changes)}, at {position}")
            worst = max([worst, *(abs(one - other) for one, other in zip(found, changes, strict=True))])
            counted += len(changes)
    return f"max {worst:.1f} s of {counted} events"


def lasting(changes: Sequence[float]) -> list[float]:
    """Without the pairs between which less than a minute passes: a ray of sun through a gap."""
    kept: list[float] = []
    for change in changes:
        if kept and change - kept[-1] < 60:
            kept.pop()
        else:
            kept.append(change)
    return kept


def listed(file: Path, count: int) -> None:
    chance = random.Random(3)
    zones = [f"Etc/GMT{-hour:+d}" for hour in range(-11, 13)]
    lines = ["name,latitude,longitude,time_zone\n"]
    for nth in range(count):
        longitude = chance.uniform(-165.0, 180.0)
        zone = zones[max(0, min(23, round(longitude / 15.0) + 11))]
        lines.append(f"Place {nth},{chance.uniform(-60.0, 70.0):.4f},{longitude:.4f},{zone}\n")
    file.write_text("".join(lines))


def command(count: int, days: int) -> str:
    """The whole command on one core, with its start and the file that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        places, written = Path(folder) / "places.csv", Path(folder) / "times.csv"
        listed(places, count)
        arguments = ["sunclock", str(places), "--date", f"{YEAR}-01-01", "--days", str(days), "--csv", str(written)]
        begun, used = time.monotonic(), processor_time()
        subprocess.run([sys.executable, "-m", "controller.app", *arguments], check=True, stdout=subprocess.DEVNULL)
        took, busy = time.monotonic() - begun, processor_time() - used
        size = written.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{took:.1f} s ({busy:.1f} s of processor), {memory:.0f} MiB at most, {size:.0f} MB written"


def processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def against_a_fixed_clock(name: str, latitude: float, longitude: float) -> str:
    """The shortest fixed clock that is never late: on at the year's earliest, off at its latest."""
    (timeline,) = timelines([place(name, latitude, longitude, "Asia/Shanghai")], date(YEAR, 1, 1), 365)
    _, on = timeline.days.local(timeline.moments(Event.LAMPS_ON))
    _, off = timeline.days.local(timeline.moments(Event.LAMPS_OFF))
    fixed = (86_400 - min(on) + max(off)) / 3600.0
    ours = sum(timeline.lit_hours()) / 365.0
    return f"{ours:.2f} h a day instead of {fixed:.2f}: {100.0 * (1.0 - ours / fixed):.2f} % less"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    count = 1000 if given.quick else 10_000
    print(f"against the reference      {reference()}")
    print(f"against an almanac         {almanac()}")
    print(f"against the full algorithm {random_events()}")
    print(f"over terrain               {over_terrain()}")
    print(f"100 places, 1 day          {command(100, 1)}")
    print(f"{count} places, 1 year     {command(count, 365)}")
    for city in FIXED_CLOCK_CITIES:
        print(f"{city[0]:<26} {against_a_fixed_clock(*city)}")


if __name__ == "__main__":
    main()
