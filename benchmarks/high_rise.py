"""A year of the tower building under its old controls, beside what surveys of offices in hot and humid cities found.

Run: python benchmarks/high_rise.py [--competent] [--alone] [--weather FILE.csv] [--days N] [--json]
     python benchmarks/high_rise.py --time   how much processor time a working day takes
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.high_rise.building import PERIOD_S, HighRise, Served
from simulator.high_rise.competent import Competent
from simulator.high_rise.lighting import LIGHTING, TUBES
from simulator.high_rise.model import HighRiseModel, Sunshine, sunshine
from simulator.high_rise.names import (
    BATTERY,
    BOILER,
    CHARGERS,
    COMPUTERS,
    DECKS,
    FACADE,
    HANDLERS,
    LIGHTS,
    OUTDOOR,
    PHOTOVOLTAICS,
    PLUGS,
    UNITS,
)
from simulator.tower_building.building import TowerBuilding
from simulator.weather import Weather, read_weather

WEATHER = Path(__file__).resolve().parents[1] / "config" / "weather" / "hot_humid_tmy3.csv.gz"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR, DAY = 3600.0, 86400.0
LOOK_S = 600.0
"""Comfort is looked at this often."""
PRESSURE = 120.0
"""[kPa] that a plant keeps at the coils."""
WARM, COLD, STUFFY = 26.0, 22.0, 1000.0
"""[degC] GB 50736-2012, table 3.0.2, class I and a wide lower limit; [ppm] GB/T 18883-2022."""
END_USES = {
    "fans of the air handlers": HANDLERS,
    "lighting of the offices": (LIGHTS,),
    "plug loads of the offices": (PLUGS,),
    "computers of the computer rooms": COMPUTERS,
    "split units": UNITS,
    "garage": DECKS,
    "outdoor and façade lighting": (OUTDOOR, FACADE),
    "charging of cars": CHARGERS,
    "hot water, electric": (BOILER,),
    "battery": (BATTERY,),
    "photovoltaics": (PHOTOVOLTAICS,),
}
PUBLISHED = {
    "electricity": "50 to 100 (offices in six cities of southern China, Xu et al. 2013); "
    "163 to 389, mean 270 (20 offices in Hong Kong, Li et al. 2004)",
    "share of cooling and air": "47.5 % (Li et al. 2004); 30 to 60 % in office hours of summer (Lam et al. 2003)",
    "share of lighting": "27.4 % (Li et al. 2004); 20 to 35 % (Lam et al. 2003)",
    "share of equipment": "21.8 % (Li et al. 2004); 15 to 25 % (Lam et al. 2003)",
    "garage": "276 kWh/day of always-on tubes in a garage of 458 lamps",
}


class Comfort:
    """Of the zones while people are there, weighted by their floor."""

    def __init__(self) -> None:
        self.hours = self.warm = self.cold = self.stuffy = 0.0

    def look(self, site: HighRise, hours: float) -> None:
        if site.use.people < 0.2:
            return
        self.hours += hours
        for floor, state in zip(site.model.floors, site.floors, strict=True):
            for each, zone in zip(floor.zones, state.zones, strict=True):
                share = floor.count * each.zone.floor / site.model.area * hours
                self.warm += share * max(0.0, zone.air - WARM)
                self.cold += share * max(0.0, COLD - zone.air)
                self.stuffy += share * (zone.co2 > STUFFY)


def served(demand: CoilDemand) -> Served:
    return Served(WaterSupply(demand.conductance * PRESSURE**0.5, 7.0, PRESSURE))


def opened(weather_file: Path) -> tuple[Weather, Sunshine]:
    model = HighRiseModel()
    weather = read_weather(
        weather_file, latitude=model.latitude, longitude=model.longitude, utc_offset_h=model.utc_offset_h
    )
    return weather, sunshine(model, weather)


def run(site: HighRise, advance: Callable[[float], None], days: int) -> tuple[Comfort, float]:
    """Comfort, and the largest mean of ten minutes of the coils' heat [kW]."""
    comfort, peak, known = Comfort(), 0.0, 0.0
    for _ in range(round(days * DAY / LOOK_S)):
        advance(site.now + LOOK_S)
        comfort.look(site, LOOK_S / HOUR)
        cooling = site.cooling_energy()
        peak, known = max(peak, (cooling - known) * HOUR / LOOK_S), cooling
    return comfort, peak


def with_ideal_water(site: HighRise) -> Callable[[float], None]:
    """How to let it pass time with a plant that holds temperature and pressure, whatever is asked."""

    def advance(to: float) -> None:
        while site.now < to:
            site.advance(min(to, site.now + PERIOD_S), served(site.demand))

    return advance


def figures(
    site: HighRise, plant: float | None, comfort: Comfort, peak: float, days: int
) -> Iterable[tuple[str, str, str]]:
    """What, how much, and what was published; plant: electricity of the cooling plant [kWh], None without one."""
    area = site.model.area
    per_area = {use: sum(site.energy(machine) for machine in machines) / area for use, machines in END_USES.items()}
    cooling = site.cooling_energy() / area
    made = -per_area["photovoltaics"]
    cold = 0.0 if plant is None else plant / area
    used = cold + sum(per_area.values()) + made
    air = cold + per_area["fans of the air handlers"] + per_area["split units"]
    equipment = per_area["plug loads of the offices"] + per_area["computers of the computer rooms"]
    yield "electricity used, kWh/m²", f"{used:.1f}", PUBLISHED["electricity"]
    if plant is not None:
        yield "of it cooling plant", f"{cold:.1f}", ""
        yield "COP of the cooling plant", f"{cooling / cold:.2f}", "2.8 to 3.1 under the old controls"
    for use, value in per_area.items():
        yield f"of it {use}" if value > 0.0 else use, f"{value:.2f}", ""
    yield "garage, kWh a day", f"{per_area['garage'] * area / days:.1f}", PUBLISHED["garage"]
    yield "cooling and air: share", f"{100.0 * air / used:.0f} %", PUBLISHED["share of cooling and air"]
    lighting = per_area["lighting of the offices"]
    yield "lighting: share", f"{100.0 * lighting / used:.0f} %", PUBLISHED["share of lighting"]
    yield "plug loads and computers: share", f"{100.0 * equipment / used:.0f} %", PUBLISHED["share of equipment"]
    yield "cooling of the coils, kWh/m²", f"{cooling:.0f}", ""
    yield "largest ten minutes of it, W/m²", f"{1000.0 * peak / area:.0f}", ""
    yield "hours at that load", f"{cooling * area / peak:,.0f}", ""
    yield "maximum demand of 15 min, W/m²", f"{1000.0 * site.main.largest / area:.1f}", ""
    yield "gas, kWh/m²", f"{site.gas_volume() * site.model.hot_water.boiler.heating_value / area:.1f}", ""
    yield "water, m³/m²", f"{site.water_mass() / 1000.0 / area:.2f}", ""
    yield "hours with people", f"{comfort.hours:,.0f}", ""
    yield f"of them above {STUFFY:g} ppm of CO2", f"{comfort.stuffy:,.0f}", ""
    yield f"above {WARM:g} °C, K·h", f"{comfort.warm:.0f}", ""
    yield f"below {COLD:g} °C, K·h", f"{comfort.cold:.0f}", ""


def processor_time(weather_file: Path) -> None:
    """Of a day at steps of 10 s, the air handlers running from six to ten: a Wednesday in July."""
    start = datetime(2026, 7, 21, tzinfo=ZoneInfo("Asia/Shanghai"))
    weather, sun = opened(weather_file)
    site = HighRise(HighRiseModel(), start.timestamp(), weather, sun)
    building = TowerBuilding(start, weather, sun)
    for name in ("weather read for the first time", "a working day"):
        end, begin = site.now + DAY, time.process_time()
        while site.now < end:
            site.advance(site.now + 10.0, served(site.demand))
        alone, begin = time.process_time() - begin, time.process_time()
        building.advance(building.now + timedelta(days=1), 0.0)
        whole = time.process_time() - begin
        print(f"{name}: {alone:.2f} s of processor time; with the cooling plant {whole:.2f} s")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--weather", type=Path, default=WEATHER)
    arguments.add_argument("--days", type=int, default=365)
    arguments.add_argument("--competent", action="store_true", help="the baseline in place of the old controls")
    arguments.add_argument("--alone", action="store_true", help="without the cooling plant, whose water is then ideal")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--time", action="store_true")
    given = arguments.parse_args()
    if given.time:
        processor_time(given.weather)
        return
    model = HighRiseModel(lighting=replace(LIGHTING, decks=TUBES))
    controls = Competent() if given.competent else None
    weather, sun = opened(given.weather)
    if given.alone:
        site = HighRise(model, START.timestamp(), weather, sun, controls=controls)
        comfort, peak = run(site, with_ideal_water(site), given.days)
        rows = list(figures(site, None, comfort, peak, given.days))
    else:
        building = TowerBuilding(START, weather, sun, model=model, controls=controls)
        site = building.high_rise
        comfort, peak = run(site, lambda to: building.advance(datetime.fromtimestamp(to, UTC), 0.0), given.days)
        rows = list(figures(site, building.plant.state.accounts.electricity, comfort, peak, given.days))
    if given.json:
        print(json.dumps({name: value for name, value, _ in rows}, ensure_ascii=False, indent=1))
        return
    print("| figure | here | published |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
