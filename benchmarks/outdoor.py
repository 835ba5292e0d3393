"""What outdoor lighting by the sun saves against a fixed clock, and whether the ground was ever dark under lamps that
were off.

A year in Shanghai and one in Shenzhen, every ten seconds, clouds included: the share of the clear sky's light that
passes is that of the weather file, hour by hour, with broken clouds drawn on top for every seed; the daylight sensor
is 3 % off and sees no lamps. The fixed clock is the shortest that is never late: on and off at the same times all the
year, the earliest and the latest of its clear evenings and mornings. A step counts with what the lamps did before it.

Run: python benchmarks/outdoor.py [--seeds 5] [--clouds hard] [--json]. Targets: at least 10 % less lit hours in
Shanghai; not one minute with less than 20 lx from the sky and the lamps off.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from controller.core.sample import good
from controller.core.strategy import Observation, Plan, PlanInput, Position, Role
from simulator.sun import NIGHT_ILLUMINANCE, clear_sky_illuminance, solar_elevation
from simulator.weather import Weather, read_weather
from strategies.sunset_lighting import Parameters, SunPlan, SunsetLighting

ZONE = ZoneInfo("Asia/Shanghai")
WEATHER = Path(__file__).resolve().parent.parent / "config" / "weather" / "hot_humid_tmy3.csv.gz"
PLACES = {"Shanghai": Position(31.2304, 121.4737, 4.0), "Shenzhen": Position(22.54, 114.06, 10.0)}
YEAR = 2026
STEP_S = 10.0
STEPS_A_DAY, STEPS_AN_HOUR = int(86400 / STEP_S), int(3600 / STEP_S)
# Between these the strategy is asked in every step. Outside no cloud brings the sensor near its limits, which are 50
# and 100 lx: the darkest passes a tenth.
NIGHT_LX, DAY_LX = 0.5, 6000.0
LEAST_LX = 20.0
NOISE = 0.03
CLOUD_S = 600.0


class Clouds(NamedTuple):
    """Broken clouds: how much they change what passes, most where half of the sky is covered: a random walk back to the
    mean within ten minutes, smoothed over `smooth` seconds."""

    share: float
    smooth: float


# Assumptions both. Twilight comes from the whole sky, so little of it jumps; that is the first. The other is for doubt.
CLOUDS = {"gentle": Clouds(0.4, 120.0), "hard": Clouds(0.5, 30.0)}

LAMP, SENSOR = Role("circuits", 0, "command"), Role("daylight_sensor", 0, "illuminance")


@dataclass(frozen=True, slots=True)
class Sky:
    """Every step of the year. clear: illuminance of a clear sky [lx]; passes: share by the weather file."""

    clear: Sequence[float]
    passes: Sequence[float]


def midnight(day: int) -> datetime:
    return datetime(YEAR, 1, 1, tzinfo=ZONE).astimezone(UTC) + timedelta(days=day)


def sky_of(place: Position, weather: Weather, days: int) -> Sky:
    """The sun's elevation is worked out every minute and a straight line between."""
    start, minute = midnight(0).timestamp(), int(60 / STEP_S)
    elevations = [
        solar_elevation(start + index * 60.0, place.latitude, place.longitude) for index in range(days * 1440 + 1)
    ]
    shares = [weather.at(index / 60.0).sky for index in range(days * 1440)]
    clear: list[float] = []
    passes: list[float] = []
    for (here, there), share in zip(pairwise(elevations), shares, strict=True):
        rise = (there - here) / minute
        clear += [clear_sky_illuminance(here + step * rise) for step in range(minute)]
        passes += [share] * minute
    return Sky(clear, passes)


def clouded(sky: Sky, clouds: Clouds, seed: int) -> Iterator[float]:
    """Illuminance of the ground by the sky [lx], with broken clouds."""
    random = Random(f"outdoor/{seed}")
    keeps, takes = math.exp(-STEP_S / CLOUD_S), 1.0 - math.exp(-STEP_S / clouds.smooth)
    walk = cloud = 0.0
    for clear, passes in zip(sky.clear, sky.passes, strict=True):
        walk = keeps * walk + math.sqrt(1.0 - keeps * keeps) * random.gauss(0.0, 1.0)
        cloud += takes * (walk - cloud)
        broken = 4.0 * passes * (1.0 - passes)
        share = min(1.0, max(0.1, passes * (1.0 + clouds.share * broken * cloud)))
        yield max(NIGHT_ILLUMINANCE, clear * share)


def plans_of(place: Position, days: int) -> list[SunPlan]:
    strategy = SunsetLighting(Parameters(), 1, has_sensor=False)
    found: list[SunPlan] = []
    for day in range(days):
        now = midnight(day)
        seen = Observation(now, now.astimezone(ZONE), 0.0, {})
        found.append(strategy.plan(PlanInput(now, ZONE, place, seen, None, None)))
    return found


@dataclass(slots=True)
class Lived:
    """lit [h]; dark: minutes with less than 20 lx from the sky and the lamps off; switchings."""

    lit: float = 0.0
    dark: float = 0.0
    switchings: int = 0


def live(plans: Sequence[SunPlan], sky: Sky, clouds: Clouds, seed: int, *, has_sensor: bool) -> Lived:
    strategy = SunsetLighting(Parameters(), 1, has_sensor=has_sensor)
    state, lived, was = strategy.initial(), Lived(), True
    noise = Random(f"sensor/{seed}")
    start = midnight(0)
    asked = 0
    for step, ground in enumerate(clouded(sky, clouds, seed)):
        lived.lit += was * STEP_S / 3600.0
        lived.dark += (ground < LEAST_LX and not was) * STEP_S / 60.0
        if not NIGHT_LX < sky.clear[step] < DAY_LX and step % STEPS_AN_HOUR:
            continue
        now = start + timedelta(seconds=step * STEP_S)
        plan = Plan(plans[step // STEPS_A_DAY], 0.0)
        samples = {SENSOR: good(ground * (1.0 + noise.gauss(0.0, NOISE)), now, 0.0)} if has_sensor else {}
        seen = Observation(now, now.astimezone(ZONE), (step - asked) * STEP_S, samples, plan)
        decision = strategy.decide(seen, state)
        state, asked = decision.state, step
        lit = bool(decision.requests[LAMP])
        lived.switchings += lit != was
        was = lit
    return lived


def clock_hours(plans: Sequence[SunPlan]) -> float:
    """A day of the shortest fixed clock that is never late for a clear sky [h]."""
    nights = [night for plan in plans for night in plan.nights if night.sunset and night.sunrise]
    evening = min(_clock(night.on) for night in nights)
    morning = max(_clock(night.off) for night in nights)
    return 24.0 - evening + morning


def clock_hours_under_clouds(skies: Sequence[Sequence[float]]) -> float:
    """The same for the clouds that there were: no step with less than 20 lx from noon to noon outside of it [h]."""
    noon = STEPS_A_DAY // 2
    evening, morning = STEPS_A_DAY, 0
    for ground in skies:
        for first in range(noon, len(ground) - STEPS_A_DAY, STEPS_A_DAY):
            dark = [step for step in range(STEPS_A_DAY) if ground[first + step] < LEAST_LX]
            evening, morning = min(evening, dark[0]), max(morning, dark[-1] + 1)
    return (morning - evening) * STEP_S / 3600.0


def _clock(moment: datetime) -> float:
    local = moment.astimezone(ZONE)
    return local.hour + local.minute / 60.0 + local.second / 3600.0


def year_at(name: str, kind: str, seeds: int, days: int) -> dict[str, Any]:
    place, clouds = PLACES[name], CLOUDS[kind]
    weather = read_weather(WEATHER, latitude=place.latitude, longitude=place.longitude, utc_offset_h=8.0)
    sky, plans = sky_of(place, weather, days), plans_of(place, days)
    clock = clock_hours(plans) * days
    by_seed = [live(plans, sky, clouds, seed, has_sensor=True) for seed in range(1, seeds + 1)]
    blind = live(plans, sky, clouds, 1, has_sensor=False)
    return {
        "place": name,
        "clouds": kind,
        "clock, h": clock,
        "clock under clouds, h": clock_hours_under_clouds([list(clouded(sky, clouds, 1))]) * days,
        "lit, h": [each.lit for each in by_seed],
        "saved": [1.0 - each.lit / clock for each in by_seed],
        "dark, min": [each.dark for each in by_seed],
        "switchings a day": [each.switchings / days for each in by_seed],
        "without sensor": {"lit, h": blind.lit, "saved": 1.0 - blind.lit / clock, "dark, min": blind.dark},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--clouds", choices=CLOUDS, help="default: both")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    kinds = [arguments.clouds] if arguments.clouds else [*CLOUDS]
    years = [year_at(name, kind, arguments.seeds, arguments.days) for name in PLACES for kind in kinds]
    if arguments.json:
        print(json.dumps(years))
        return
    for year in years:
        _print_year(year)


def _print_year(year: Mapping[str, Any]) -> None:
    def spread(name: str, form: str) -> str:
        values = year[name]
        return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"

    print(
        f"{year['place']}, {year['clouds']} clouds: lit {spread('lit, h', '.0f')} h; "
        f"the shortest clock never late {year['clock, h']:.0f} h, "
        f"under these clouds {year['clock under clouds, h']:.0f} h"
    )
    print(
        f"    saved {spread('saved', '.2%')}; under 20 lx with the lamps off: {spread('dark, min', '.1f')} min; "
        f"switchings a day {spread('switchings a day', '.2f')}"
    )
    blind = year["without sensor"]
    print(
        f"    without a sensor: saved {blind['saved']:.2%}, {blind['dark, min']:.0f} min under 20 lx with the lamps off"
    )


if __name__ == "__main__":
    main()
