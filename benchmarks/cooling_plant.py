"""The high-rise's cooling plant: its COP over a year under its controls, whether its heat balances, and
what a day of it costs.

    .venv/bin/python benchmarks/cooling_plant.py                       a year under the old controls
    .venv/bin/python benchmarks/cooling_plant.py --controls guideline-36
    .venv/bin/python benchmarks/cooling_plant.py --speed               processor time of a hot day at 10 s steps

The weather is the bundled year, the load the high-rise; `--load zone` puts the small demonstration's office, scaled to
60,000 m2, in its place. `--weeks` runs a week of each month.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.civil import LocalTime
from simulator.cooling_plant.accounts import Accounts, chilled_water_error, condenser_water_error, plant_cop
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.guideline_36 import guideline_36
from simulator.cooling_plant.high_rise import FLOOR_AREA, high_rise_plant
from simulator.cooling_plant.original import Original
from simulator.cooling_plant.signals import Controls
from simulator.cooling_plant.state import PlantInputs, PlantState, initial, stored
from simulator.cooling_plant.step import step
from simulator.cooling_plant.trial import Instant, office_load, run
from simulator.cooling_plant.zone_load import ZoneLoad
from simulator.high_rise.air_side import FloorState
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.competent import Competent
from simulator.high_rise.model import HighRiseModel, Sunshine, sunshine
from simulator.plant.chiller_control import Mode
from simulator.tower_building.building import TowerBuilding
from simulator.weather import Outdoor, read_weather

SHENZHEN = ZoneInfo("Asia/Shanghai")
WEATHER = Path(__file__).parent.parent / "config" / "weather" / "hot_humid_tmy3.csv.gz"
TOO_WARM = 26.0  # [degC]
ROUNDS = 5
CONTROLS: Mapping[str, Callable[[CoolingPlant], Controls[Any]]] = {"original": Original, "guideline-36": guideline_36}


class HighRiseLoad:
    """The building as the load of a plant under any controls."""

    def __init__(self, building: HighRise) -> None:
        self.building = building
        self._floors: Sequence[FloorState] = ()
        self._warm = 0.0

    def ask(self, water: WaterSupply, local: LocalTime, outdoor: Outdoor, dt: float) -> CoilDemand:
        """What the coils ask after dt [s]; the building knows time and weather by itself."""
        del local, outdoor
        self.building.advance(self.building.now + dt, Served(water))
        return self.building.demand

    @property
    def too_warm(self) -> float:
        """Mean of all rooms [K]; they move when the building is looked at, not at every step."""
        if self._floors is not self.building.floors:
            self._floors = self.building.floors
            self._warm = sum(
                floor.count * each.zone.floor / self.building.model.area * max(0.0, zone.air - TOO_WARM)
                for floor, state in zip(self.building.model.floors, self._floors, strict=True)
                for each, zone in zip(floor.zones, state.zones, strict=True)
            )
        return self._warm


class Period:
    """What was seen in a time: accounts at its beginning and end, hours with load, starts and trips, K h of the rooms
    beyond 26 degC while in use, heat that is missing in the balances [kWh].
    """

    def __init__(self) -> None:
        self.begin = self.end = Accounts()
        self.hours = self.too_warm = self.missing = 0.0
        self.starts = self.trips = 0

    def add(self, other: Period) -> None:
        self.end = Accounts(*map(sum, zip(self.end, other.end, strict=True)))
        self.begin = Accounts(*map(sum, zip(self.begin, other.begin, strict=True)))
        self.hours += other.hours
        self.too_warm += other.too_warm
        self.missing = max(self.missing, other.missing)
        self.starts += other.starts
        self.trips += other.trips


class Bench:
    """A plant with its controls, a load and the weather."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.plant = high_rise_plant()
        self.controls = CONTROLS[given.controls](self.plant)
        self.step_s: float = given.step
        self.weather = read_weather(WEATHER, latitude=22.54, longitude=114.06, utc_offset_h=8.0)
        self.model = HighRiseModel() if given.load == "high-rise" else None
        self.sun = sunshine(self.model, self.weather) if self.model else None

    def load(self, start: datetime) -> HighRiseLoad | ZoneLoad:
        if self.model is None or self.sun is None:
            return office_load(self.plant, FLOOR_AREA)
        return HighRiseLoad(HighRise(self.model, start.timestamp(), self.weather, self.sun))

    def run(self, start: datetime, days: int) -> Iterator[tuple[Instant, float]]:
        """Every step, and how much too warm the rooms are [K]."""
        load = self.load(start)
        duration = timedelta(days=days)
        for each in run(
            self.plant, self.controls, load, self.weather, start, duration, zone=SHENZHEN, step_s=self.step_s
        ):
            yield each, too_warm(load) if each.inputs.coils.calls else 0.0


def too_warm(load: HighRiseLoad | ZoneLoad) -> float:
    """Mean of all rooms [K]."""
    return max(0.0, load.building.temperature - TOO_WARM) if isinstance(load, ZoneLoad) else load.too_warm


def periods(bench: Bench, start: datetime, days: int) -> dict[str, Period]:
    """What was seen, by period."""
    before = initial(bench.plant)
    begin = (before.accounts, stored(bench.plant, before))
    hours = bench.step_s / 3600.0
    found: dict[str, Period] = {}
    for (at, _, _, state), warm in bench.run(start, days):
        key = f"{at.astimezone(SHENZHEN) - timedelta(seconds=bench.step_s):%Y-%m}"
        if key not in found:
            found[key] = Period()
            found[key].begin = before.accounts
        period = found[key]
        period.end = state.accounts
        period.too_warm += warm * hours
        if state.rates.coils > 0.0:
            period.hours += hours
        for was, now in zip(before.chillers, state.chillers, strict=True):
            period.starts += now.control.mode is Mode.RUNNING and was.control.mode is not Mode.RUNNING
            period.trips += now.control.trips - was.control.trips
        before = state
    end = (before.accounts, stored(bench.plant, before))
    missing = max(abs(chilled_water_error(begin, end)), abs(condenser_water_error(begin, end)))
    for period in found.values():
        period.missing = missing
    return found


def weeks(bench: Bench, year: int) -> dict[str, Period]:
    """A week of each month, from its second Monday on."""
    found: dict[str, Period] = {}
    for month in range(1, 13):
        eighth = datetime(year, month, 8, tzinfo=SHENZHEN)
        found |= periods(bench, eighth + timedelta(days=-eighth.weekday() % 7), 7)
    return found


HEAD = (
    *("month", "cold [MWh]", "hours", "mean [kW]", "COP of the plant", "COP of the chillers"),
    *("chillers, primary, secondary, condenser, fans [%]", "starts", "trips", "K h above 26 degC"),
)


def show(found: dict[str, Period]) -> None:
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    total = Period()
    for month, period in found.items():
        print(row(month, period), flush=True)
        total.add(period)
    print(row("all", total))
    print(f"heat missing in the balances: at most {total.missing:.1e} kWh")


def row(name: str, period: Period) -> str:
    begin, end = period.begin, period.end
    used = max(1e-9, end.electricity - begin.electricity)
    cold = end.coils - begin.coils
    parts = [
        getattr(end, part) - getattr(begin, part) for part in ("chillers", "primary", "secondary", "condenser", "fans")
    ]
    chillers = (end.evaporators - begin.evaporators) / parts[0] if parts[0] else 0.0
    shares = ", ".join(f"{100.0 * part / used:.0f}" for part in parts)
    mean = cold / period.hours if period.hours else 0.0
    return (
        f"| {name} | {cold / 1000.0:,.0f} | {period.hours:,.0f} | {mean:,.0f} | {plant_cop(begin, end):.2f} | "
        f"{chillers:.2f} | {shares} | {period.starts} | {period.trips} | {period.too_warm:,.0f} |"
    )


def speed(bench: Bench, start: datetime) -> None:
    """Print processor time of a day."""
    begin = time.process_time()
    day = [each.inputs for each, _ in bench.run(start, 1)]
    whole = time.process_time() - begin
    print(f"a day from {start:%Y-%m-%d} at {bench.step_s:g} s, {len(day)} steps")
    print(f"with controls, load and weather: {whole:.2f} s of processor time")
    plant_alone = min(replayed(bench, day) for _ in range(ROUNDS))
    print(f"plant alone, least of {ROUNDS} rounds: {plant_alone:.2f} s")
    if bench.model is not None and bench.sun is not None:
        tower = min(behind_tags(bench, bench.model, bench.sun, start) for _ in range(ROUNDS))
        print(f"the tower behind its tags, least of {ROUNDS} rounds: {tower:.2f} s")


def replayed(bench: Bench, inputs: Sequence[PlantInputs]) -> float:
    begin = time.process_time()
    state: PlantState = initial(bench.plant)
    for each in inputs:
        state = step(bench.plant, state, each, bench.step_s)
    return time.process_time() - begin


def behind_tags(bench: Bench, model: HighRiseModel, sun: Sunshine, start: datetime) -> float:
    """A day of high-rise and plant by turns, each under its own controls, as the simulator runs them."""
    own = None if isinstance(bench.controls, Original) else Competent()
    tower = TowerBuilding(start, bench.weather, sun, model=model, controls=own, plant_controls=bench.controls)
    begin = time.process_time()
    tower.advance(start + timedelta(days=1), 0.0)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controls", choices=CONTROLS, default="original")
    parser.add_argument("--load", choices=("high-rise", "zone"), default="high-rise")
    parser.add_argument("--from", dest="start", help="first day (2026-01-01; with --speed 2026-07-21)")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--weeks", action="store_true", help="a week of each month instead")
    parser.add_argument("--step", type=float, default=10.0, help="seconds")
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args()
    start = datetime.fromisoformat(given.start or ("2026-07-21" if given.speed else "2026-01-01"))
    start = start.replace(tzinfo=SHENZHEN)
    bench = Bench(given)
    if given.speed:
        speed(bench, start)
    else:
        show(weeks(bench, start.year) if given.weeks else periods(bench, start, given.days))


if __name__ == "__main__":
    main()
