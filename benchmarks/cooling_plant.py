"""The demonstration tower's cooling plant alone: its COP over a year under its controls, whether its heat balances, and
what a day of it costs.

    .venv/bin/python benchmarks/cooling_plant.py                       a year under the old controls
    .venv/bin/python benchmarks/cooling_plant.py --controls guideline-36
    .venv/bin/python benchmarks/cooling_plant.py --speed               processor time of a hot day at 10 s steps

The weather is the bundled year, the load the demonstration's office scaled to 60,000 m2.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.cooling_plant.accounts import Accounts, chilled_water_error, condenser_water_error, plant_cop
from simulator.cooling_plant.demo_tower import FLOOR_AREA, demo_tower
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.guideline_36 import guideline_36
from simulator.cooling_plant.original import Original
from simulator.cooling_plant.state import PlantInputs, PlantState, initial, stored
from simulator.cooling_plant.step import step
from simulator.cooling_plant.trial import Controls, office_load, run
from simulator.plant.chiller_control import Mode
from simulator.weather import Weather, read_weather

SHENZHEN = ZoneInfo("Asia/Shanghai")
WEATHER = Path(__file__).parent.parent / "config" / "weather" / "hot_humid_tmy3.csv.gz"
TOO_WARM = 26.0  # [degC]
ROUNDS = 3
CONTROLS: Mapping[str, Callable[[CoolingPlant], Controls[Any]]] = {"original": Original, "guideline-36": guideline_36}


class Month:
    """What was seen in a month: accounts at its beginning and end, hours, starts, K h beyond 26 degC while in use."""

    def __init__(self, begin: Accounts) -> None:
        self.begin = self.end = begin
        self.hours = self.served_hours = self.too_warm = 0.0
        self.starts = self.trips = 0


def year(name: str, weather: Weather, start: datetime, days: int, step_s: float) -> None:
    """Print a table of the months."""
    plant = demo_tower()
    controls = CONTROLS[name](plant)
    load = office_load(plant, FLOOR_AREA)
    first = initial(plant)
    begin = (first.accounts, stored(plant, first))
    months: dict[str, Month] = {}
    before = first
    hours = step_s / 3600.0
    last = first
    for at, _, inputs, state in run(
        plant, controls, load, weather, start, timedelta(days=days), zone=SHENZHEN, step_s=step_s
    ):
        key = at.astimezone(SHENZHEN).strftime("%Y-%m")
        month = months.get(key)
        if month is None:
            month = months[key] = Month(before.accounts)
        month.end = state.accounts
        if state.rates.coils > 0.0:
            month.served_hours += hours
        if inputs.coils.calls:
            month.too_warm += max(0.0, load.building.temperature - TOO_WARM) * hours
        for was, now in zip(before.chillers, state.chillers, strict=True):
            month.starts += now.control.mode is Mode.RUNNING and was.control.mode is not Mode.RUNNING
            month.trips += now.control.trips - was.control.trips
        before = last = state
    print(f"{name}: {days} days from {start:%Y-%m-%d}, steps of {step_s:g} s")
    print(
        "| month | cold MWh | hours | mean kW | COP | chillers' COP | chillers, primary, secondary, condenser, fans % "
        "| starts | trips | K h above 26 degC |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    total = Month(first.accounts)
    total.end = last.accounts
    for key, month in months.items():
        total.served_hours += month.served_hours
        total.too_warm += month.too_warm
        total.starts += month.starts
        total.trips += month.trips
        print(row(key, month))
    print(row("all", total))
    end = (last.accounts, stored(plant, last))
    heat = end[0].coils - begin[0].coils
    for water, error in (
        ("chilled", chilled_water_error(begin, end)),
        ("condenser", condenser_water_error(begin, end)),
    ):
        print(f"heat of the {water} water: off by {error:.6f} kWh, {100.0 * abs(error) / heat:.7f} % of the cold")
    print(f"make-up water: {last.basin.made_up / 1000.0:,.0f} m3")


def row(name: str, month: Month) -> str:
    begin, end = month.begin, month.end
    used = max(1e-9, end.electricity - begin.electricity)
    cold = end.coils - begin.coils
    parts = [
        getattr(end, part) - getattr(begin, part) for part in ("chillers", "primary", "secondary", "condenser", "fans")
    ]
    chillers = (end.evaporators - begin.evaporators) / parts[0] if parts[0] else 0.0
    shares = ", ".join(f"{100.0 * part / used:.0f}" for part in parts)
    mean = cold / month.served_hours if month.served_hours else 0.0
    return (
        f"| {name} | {cold / 1000.0:,.0f} | {month.served_hours:,.0f} | {mean:,.0f} | {plant_cop(begin, end):.2f} | "
        f"{chillers:.2f} | {shares} | {month.starts} | {month.trips} | {month.too_warm:,.0f} |"
    )


def speed(name: str, weather: Weather, start: datetime, step_s: float) -> None:
    """Print processor time of a day."""
    plant = demo_tower()
    controls = CONTROLS[name](plant)
    begin = time.process_time()
    day = [
        each.inputs
        for each in run(
            plant,
            controls,
            office_load(plant, FLOOR_AREA),
            weather,
            start,
            timedelta(days=1),
            zone=SHENZHEN,
            step_s=step_s,
        )
    ]
    whole = time.process_time() - begin
    print(f"{name}: a day from {start:%Y-%m-%d} at {step_s:g} s, {len(day)} steps")
    print(f"with controls, load and weather: {whole:.2f} s of processor time")
    print(f"plant alone, least of {ROUNDS} rounds: {min(replayed(plant, day, step_s) for _ in range(ROUNDS)):.2f} s")


def replayed(plant: CoolingPlant, inputs: Sequence[PlantInputs], step_s: float) -> float:
    begin = time.process_time()
    state: PlantState = initial(plant)
    for each in inputs:
        state = step(plant, state, each, step_s)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controls", choices=CONTROLS, default="original")
    parser.add_argument("--from", dest="start", default=None, help="first day (2026-01-01; with --speed 2026-07-20)")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--step", type=float, default=10.0, help="seconds")
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args()
    weather = read_weather(WEATHER, latitude=22.54, longitude=114.06, utc_offset_h=8.0)
    start = datetime.fromisoformat(given.start or ("2026-07-20" if given.speed else "2026-01-01"))
    start = start.replace(tzinfo=SHENZHEN)
    if given.speed:
        speed(given.controls, weather, start, given.step)
    else:
        year(given.controls, weather, start, given.days, given.step)


if __name__ == "__main__":
    main()
