"""What garage lighting saves, how fast it answers, and whether anybody ever stood in too little light.

A garage of 57 groups with 8 lamps each: a ramp, a main aisle, nine side aisles, three stairs. Cars drive in to a bay
and their people walk to the stairs, later the other way round; who is where, and when, is drawn anew for every seed.
The strategies are the real ones, asked in every scan of 1 s; motion is polled every second. The tide is learned from
the four weeks before. A working day and a Saturday are lived through and weighed 5 to 2.

Run: python benchmarks/garage.py [--seeds 5] [--json]. Targets: tidal bands at least 35 % below fixed 50 %; sensor lamps
at least 80 % below the same lamps at 100 % and 85 % below tubes of 18 W; 65 lx within 2 s of a person's entering a dark
group at p95; not a minute below a floor.
"""

from __future__ import annotations

import argparse
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from controller.core.ports import Aggregate
from controller.core.sample import Sample, Scalar, good
from controller.core.strategy import Observation, Plan, PlanInput, Position, Role
from simulator.plant.lamps import LampGroupModel, group_power
from simulator.plant.sensor_lamps import SensorLampNetwork, SensorLampSettings
from strategies.blocks.garage import LampRow
from strategies.blocks.sensor_lamps import MOST
from strategies.tidal_lighting import LearnedTidalLighting, Parameters, TidalLighting

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
WEEKS_BEFORE = 4
LIVED = (WEEKS_BEFORE * 7 + 2, WEEKS_BEFORE * 7 + 5)  # a Wednesday and a Saturday
WEIGHTS = (5, 2)

LAMPS = LampGroupModel(lamps=8, lamp_power=0.018, standby_power=0.0003, illuminance=140.0, ramp=0.5)
TUBE_POWER = 0.018
OCCUPIED_LX, FLOOR_LX, IDLE_FLOOR_LX = 65.0, 30.0, 10.0
MAY_TAKE_S = 2.0

# Cars that come or go in an hour, from midnight: a garage of 300 bays below offices. An assumption, no measurement.
WORKING_DAY = (1, 1, 0.5, 0.5, 1, 3, 12, 60, 80, 30, 14, 18, 30, 26, 14, 12, 18, 50, 70, 36, 16, 10, 6, 3)
WEEKEND = (1, 1, 0.5, 0.5, 0.5, 1, 2, 4, 6, 8, 8, 8, 8, 8, 7, 7, 7, 6, 5, 4, 3, 2, 2, 1)
# Through 32 m of aisle at 3.2 m/s and 1.3 m/s.
DRIVE_S, WALK_S, PARK_S = 10.0, 25.0, 30.0
SENSOR_HOLD_S = 5.0

RAMP = (1, 2)
MAIN = tuple(range(3, 13))
SIDES = tuple(tuple(range(13 + 5 * side, 18 + 5 * side)) for side in range(9))
GROUPS = 57
STAIRS = (5, 8, 11)
PATHS = ((*RAMP, *MAIN), *((MAIN[side], *groups) for side, groups in enumerate(SIDES)))

# From the poll that sees it to the lamps: the scan, and a write on a gateway that takes its time.
SCAN_S, WRITE_S = 0.1, 0.3


class Visit(NamedTuple):
    """Somebody in a group, seconds since Monday's midnight."""

    start: float
    end: float
    group: int


def visits(random: Random, first_day: int, last_day: int) -> list[Visit]:
    found: list[Visit] = []
    for day in range(first_day, last_day):
        table = WORKING_DAY if day % 7 < 5 else WEEKEND
        for hour, cars in enumerate(table):
            at = (day * 24 + hour) * 3600.0 + random.expovariate(cars / 3600.0)
            while at < (day * 24 + hour + 1) * 3600.0:
                found += _passage(random, at, comes=random.random() < (0.9 if hour < 12 else 0.1))
                at += random.expovariate(cars / 3600.0)
    return sorted(found)


def _passage(random: Random, at: float, *, comes: bool) -> Iterator[Visit]:
    """A car comes and its people walk to the nearest stairs, or the other way round."""
    side = random.randrange(len(SIDES))
    into = SIDES[side][: random.randint(1, len(SIDES[side]))]
    drive = (*RAMP, *MAIN[: side + 1], *into)
    stairs = min(STAIRS, key=lambda group: abs(group - MAIN[side]))
    step = 1 if stairs >= MAIN[side] else -1
    walk = (*reversed(into), *range(MAIN[side], stairs + step, step))
    legs = [(group, DRIVE_S) for group in drive], [(into[-1], PARK_S)], [(group, WALK_S) for group in walk]
    if not comes:
        legs = legs[2][::-1], legs[1], legs[0][::-1]
    for leg in legs:
        for group, seconds in leg:
            took = seconds * random.uniform(0.8, 1.3)
            yield Visit(at, at + took, group)
            at += took


def motions(of: Iterable[Visit]) -> dict[int, list[tuple[float, float]]]:
    """When each group's sensor shows motion: visits, lengthened by the sensor's own hold and joined."""
    found: dict[int, list[tuple[float, float]]] = {group: [] for group in range(1, GROUPS + 1)}
    for start, end, group in of:
        spans = found[group]
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end + SENSOR_HOLD_S))
        else:
            spans.append((start, end + SENSOR_HOLD_S))
    return found


def at(seconds: float) -> datetime:
    return MONDAY.astimezone(UTC) + timedelta(seconds=seconds)


def hours_of(spans: Sequence[tuple[float, float]], days: int) -> list[Aggregate]:
    """What history would say of a motion sensor."""
    shares = [0.0] * (days * 24)
    for start, end in spans:
        hour = int(start // 3600)
        while hour < len(shares) and hour * 3600 < end:
            shares[hour] += (min(end, (hour + 1) * 3600) - max(start, hour * 3600)) / 3600
            hour += 1
    return [Aggregate(at(hour * 3600.0), 60, 0.0, share, 1.0, 0.0, 1.0) for hour, share in enumerate(shares)]


# --- lamps that follow us ---------------------------------------------------------------------------------------------


class Lamp:
    """A group's lamps on their way to their target; energy in kWh."""

    def __init__(self, start: float, brightness: float) -> None:
        self.looked, self.level, self.target, self.energy = start, brightness, brightness, 0.0

    def at(self, moment: float) -> float:
        left = self.target - self.level
        moved = min(abs(left), LAMPS.ramp * (moment - self.looked))
        return self.level + (moved if left > 0 else -moved)

    def integrate(self, moment: float) -> None:
        level = self.at(moment)
        ramp = abs(level - self.level) / LAMPS.ramp
        mean = group_power(LAMPS, (self.level + level) / 2.0) * ramp
        self.energy += (mean + group_power(LAMPS, level) * (moment - self.looked - ramp)) / 3600.0
        self.looked, self.level = moment, level

    def command(self, moment: float, target: float) -> None:
        self.integrate(moment)
        self.target = target

    def reaches(self, brightness: float, since: float) -> float | None:
        """Seconds after `since` at which it is that bright with its present target; None where it never is."""
        if self.at(since) >= brightness:
            return 0.0
        return None if self.target < brightness else (brightness - self.level) / LAMPS.ramp + self.looked - since


@dataclass
class Lived:
    """energy [kWh]; dark_entries: seconds to 65 lx for whoever entered a group darker than that; entries: all of them;
    minutes with somebody in less than 65 lx for longer than 2 s, and with a group below its floor."""

    energy: float = 0.0
    entries: int = 0
    dark_entries: list[float] = field(default_factory=list[float])
    occupied_below: float = 0.0
    below_floor: float = 0.0


class Watched(NamedTuple):
    """What of the motions changes, in order: (moment of the poll that sees it, group, motion)."""

    moment: float
    group: int
    motion: bool


def polled(found: Mapping[int, Sequence[tuple[float, float]]], start: float, end: float) -> list[Watched]:
    changes = [
        Watched(float(-(-moment // 1.0)), group, value)
        for group, spans in found.items()
        for span in spans
        for moment, value in zip(span, (True, False), strict=True)
        if start <= moment < end
    ]
    return sorted(changes)


def live(strategy: TidalLighting, plan: Any, found: Sequence[Visit], start: float, end: float) -> Lived:
    """Every scan in which the strategy may change its mind, with the lamps behind it."""
    here = [visit for visit in found if start <= visit.start < end]
    changes = polled(motions(here), start, end)
    roles = {group: Role("groups", group - 1, "motion") for group in range(1, GROUPS + 1)}
    samples: dict[Role, Sample] = {roles[group]: good(False, at(start), 0.0) for group in roles}
    lamps = {group: Lamp(start, 0.25) for group in roles}
    state = strategy.initial()
    requests: dict[Role, Scalar] = {}
    waiting: dict[int, list[Visit]] = {}
    lived, index, entered = Lived(), 0, 0
    now, asked = start, start
    while now < end:
        while index < len(changes) and changes[index].moment <= now:
            samples[roles[changes[index].group]] = good(changes[index].motion, at(now), 0.0)
            index += 1
        seen_at = at(now)
        seen = Observation(seen_at, seen_at.astimezone(ZONE), now - asked, samples, plan)
        decision = strategy.decide(seen, state)
        state, asked = decision.state, now
        takes_effect = now + SCAN_S + WRITE_S
        entered = _enter(here, entered, takes_effect, lamps, waiting, lived)
        if decision.requests != requests:
            for role, value in decision.requests.items():
                if requests.get(role) != value:
                    lamps[role.ordinal + 1].command(takes_effect, float(value))
                    lived.below_floor += float(value) * LAMPS.illuminance < FLOOR_LX
            requests = dict(decision.requests)
            _answer(waiting, lamps, takes_effect, lived)
        following = changes[index].moment if index < len(changes) else end
        steady = decision.steady_until
        until = (steady - MONDAY).total_seconds() if steady is not None else now + 1.0
        now = max(now + 1.0, min(following, until, end))
    for group, lamp in lamps.items():
        lamp.integrate(max(end, lamp.looked))
        lived.energy += lamp.energy
        for visit in waiting.get(group, ()):
            _count_dark(lived, visit, end)
    return lived


def _enter(
    here: Sequence[Visit],
    entered: int,
    until: float,
    lamps: Mapping[int, Lamp],
    waiting: dict[int, list[Visit]],
    lived: Lived,
) -> int:
    """Who has entered before an instant, and what light they found."""
    while entered < len(here) and here[entered].start < until:
        visit = here[entered]
        entered += 1
        lived.entries += 1
        lamp = lamps[visit.group]
        since = max(visit.start, lamp.looked)
        after = lamp.reaches(OCCUPIED_LX / LAMPS.illuminance, since)
        if after is None:
            waiting.setdefault(visit.group, []).append(visit)
        elif since + after > visit.start:
            lived.dark_entries.append(since + after - visit.start)
    return entered


def _answer(waiting: dict[int, list[Visit]], lamps: Mapping[int, Lamp], now: float, lived: Lived) -> None:
    """Groups that are on their way to enough light now."""
    for group in list(waiting):
        after = lamps[group].reaches(OCCUPIED_LX / LAMPS.illuminance, now)
        if after is not None:
            for visit in waiting.pop(group):
                _count_dark(lived, visit, now + after)


def _count_dark(lived: Lived, visit: Visit, until: float) -> None:
    """Somebody stood in the dark until an instant, or left before it."""
    seconds = min(until, visit.end) - visit.start
    lived.dark_entries.append(seconds)
    lived.occupied_below += max(0.0, seconds - MAY_TAKE_S) / 60.0


# --- lamps that see for themselves ------------------------------------------------------------------------------------


def live_alone(found: Sequence[Visit], start: float, end: float, parameters: Parameters, plan: Any) -> Lived:
    """Networks of at most 16 groups, each set by a strategy of its own at the beginning of every minute."""
    here = [visit for visit in found if start <= visit.start < end]
    lived = Lived(entries=len(here))
    for first in range(1, GROUPS + 1, MOST):
        numbers = range(first, min(first + MOST, GROUPS + 1))
        strategy = TidalLighting(_renumbered(parameters, numbers), 0, 0, len(numbers))
        network = SensorLampNetwork([LAMPS] * len(numbers), start)
        own = sorted((visit for visit in here if visit.group in numbers), reverse=True)
        state, minute = strategy.initial(), start
        while minute < end:
            seen_at = at(minute)
            decision = strategy.decide(Observation(seen_at, seen_at.astimezone(ZONE), 60.0, {}, plan), state)
            state = decision.state
            for ordinal, group in enumerate(network.groups):
                group.set(_settings(decision.requests, ordinal), minute)
                lived.below_floor += group.settings.idle * LAMPS.illuminance < IDLE_FLOOR_LX
            while own and own[-1].start < minute + 60.0:
                _pass(network, own.pop(), first, lived)
            minute += 60.0
        for group in network.groups:
            group.integrate(end)
            lived.energy += group.energy
    return lived


def _pass(network: SensorLampNetwork, visit: Visit, first: int, lived: Lived) -> None:
    group = network.groups[visit.group - first]
    was_dark = group.illuminance(visit.start) < OCCUPIED_LX
    network.motion(visit.group - first, visit.start, visit.end + SENSOR_HOLD_S)
    if was_dark:
        seconds = next(
            step / 20.0 for step in range(200) if group.illuminance(visit.start + step / 20.0) >= OCCUPIED_LX
        )
        lived.dark_entries.append(seconds)
        lived.occupied_below += max(0.0, seconds - MAY_TAKE_S) / 60.0


def _settings(requests: Mapping[Role, Scalar], ordinal: int) -> SensorLampSettings:
    values = [
        requests[Role("sensor_lamps", ordinal, quantity)]
        for quantity in ("idle_brightness", "active_brightness", "hold_time", "linked_groups")
    ]
    return SensorLampSettings(float(values[0]), float(values[1]), float(values[2]), int(values[3]))


def _renumbered(parameters: Parameters, numbers: range) -> Parameters:
    """The ways within one network, its groups numbered from 1."""
    paths = [tuple(group - numbers.start + 1 for group in path if group in numbers) for path in PATHS]
    return replace(
        parameters,
        driving_paths=tuple(path for path in paths if len(path) > 1),
        lamp_table=(LampRow(tuple(range(1, len(numbers) + 1)), LAMPS.illuminance),),
    )


# --- the arrangements -------------------------------------------------------------------------------------------------

EVERYBODY = tuple(range(1, GROUPS + 1))
COMPLETE = Parameters(
    tide="learned",
    peak_brightness=0.5,
    off_peak_brightness=0.25,
    occupied_brightness=0.5,
    hold_time=timedelta(seconds=30),
    fade_time=timedelta(seconds=10),
    driving_paths=PATHS,
    driving_ahead=1,
    illuminance_floor=None,
    occupied_illuminance=OCCUPIED_LX,
    lamp_table=(LampRow(EVERYBODY, LAMPS.illuminance),),
)
SUPERVISED = {
    "tidal bands": COMPLETE,
    "bands only": replace(COMPLETE, groups_without_motion_sensor=EVERYBODY, driving_paths=()),
    "motion only": replace(COMPLETE, tide="given", peak_brightness=0.25, weekday_peaks=(), weekend_peaks=()),
}
ALONE = Parameters(
    occupied_brightness=0.5,
    driving_ahead=1,
    illuminance_floor=IDLE_FLOOR_LX,
    occupied_illuminance=OCCUPIED_LX,
    hold_time=timedelta(seconds=20),
)


def learned(strategy: LearnedTidalLighting, found: Sequence[Visit], given_motions: Mapping[int, Any]) -> Plan:
    """What the four weeks before have taught."""
    days = WEEKS_BEFORE * 7
    history = {Role("groups", group - 1, "motion"): hours_of(given_motions[group], days) for group in EVERYBODY}
    now = at(days * 86400.0)
    seen = Observation(now, now.astimezone(ZONE), 0.0, {})
    return Plan(strategy.plan(PlanInput(now, ZONE, Position(31.23, 121.47), seen, None, None, history=history)), 60.0)


def week(seed: int) -> dict[str, Any]:
    random = Random(f"garage/{seed}")
    found = visits(random, 0, WEEKS_BEFORE * 7 + 7)
    days = [(day * 86400.0, (day + 1) * 86400.0) for day in LIVED]
    of_weeks = motions(found)
    teacher = LearnedTidalLighting(COMPLETE, GROUPS)
    plan = learned(teacher, found, of_weeks)
    result: dict[str, Any] = {"peaks": [len([1 for peak in plan.value.days[kind] if peak]) for kind in (2, 5)]}
    lives: dict[str, list[Lived]] = {}
    for name, parameters in SUPERVISED.items():
        strategy = (
            LearnedTidalLighting(parameters, GROUPS)
            if parameters.tide == "learned"
            else TidalLighting(parameters, GROUPS)
        )
        lives[name] = [live(strategy, plan, found, *day) for day in days]
    lives["sensor lamps"] = [live_alone(found, *day, ALONE, None) for day in days]
    result |= {name: _weighed(each) for name, each in lives.items()}
    result["occupied"] = [occupancy(of_weeks, *day) for day in days]
    return result


def occupancy(found: Mapping[int, Sequence[tuple[float, float]]], start: float, end: float) -> list[float]:
    """Share of each hour in which a group's sensor shows motion, mean of all groups."""
    shares = [0.0] * 24
    for spans in found.values():
        first = bisect_right(spans, (start, 0.0))
        for begin, until in spans[first:]:
            if begin >= end:
                break
            shares[int((begin - start) // 3600)] += (until - begin) / 3600.0 / GROUPS
    return shares


def _weighed(lives: Sequence[Lived]) -> dict[str, Any]:
    dark = sorted(seconds for lived in lives for seconds in lived.dark_entries)
    return {
        "kWh/day": sum(weight * lived.energy for weight, lived in zip(WEIGHTS, lives, strict=True)) / sum(WEIGHTS),
        "entries": sum(lived.entries for lived in lives),
        "dark": len(dark),
        "p95": dark[int(0.95 * (len(dark) - 1))] if dark else 0.0,
        "occupied_below": sum(lived.occupied_below for lived in lives),
        "below_floor": sum(lived.below_floor for lived in lives),
    }


def fixed(brightness: float) -> float:
    """kWh a day of all groups at a brightness."""
    return GROUPS * group_power(LAMPS, brightness) * 24.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    weeks = [week(seed) for seed in range(1, arguments.seeds + 1)]
    if arguments.json:
        print(json.dumps(weeks))
        return
    tubes = GROUPS * LAMPS.lamps * TUBE_POWER * 24.0
    against = {"fixed 50 %": fixed(0.5), "lamps at 100 %": fixed(1.0), "tubes of 18 W": tubes}
    print(f"{GROUPS * LAMPS.lamps} lamps, standby {LAMPS.standby_power * 1000:g} W each; kWh a day: ", end="")
    print(", ".join(f"{name} {energy:.1f}" for name, energy in against.items()))
    for name in (*SUPERVISED, "sensor lamps"):
        _print_row(name, [each[name] for each in weeks], against)
    for kind, day in enumerate(("working day", "Saturday")):
        hours = [median(each["occupied"][kind][hour] for each in weeks) for hour in range(24)]
        print(f"occupied, {day}, by hour: " + " ".join(f"{share:.1%}" for share in hours))
    print("peak hours learned (working day, Saturday):", ", ".join(str(tuple(each["peaks"])) for each in weeks))


def _print_row(name: str, rows: Sequence[Mapping[str, Any]], against: Mapping[str, float]) -> None:
    def spread(values: Sequence[float], form: str) -> str:
        return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"

    energy = [row["kWh/day"] for row in rows]
    savings = ", ".join(
        f"{spread([1 - each / other for each in energy], '.1%')} below {what}" for what, other in against.items()
    )
    print(f"{name}: {spread(energy, '.1f')} kWh a day: {savings};")
    print(
        f"    {rows[0]['entries']} entries, {rows[0]['dark']} into the dark; 65 lx at p95 after "
        f"{spread([row['p95'] for row in rows], '.2f')} s; minutes occupied below 65 lx beyond 2 s: "
        f"{spread([row['occupied_below'] for row in rows], '.1f')}; below the floor: "
        f"{spread([row['below_floor'] for row in rows], '.1f')}"
    )


if __name__ == "__main__":
    main()
