"""A year of the high-rise under its old controls, beside what surveys of offices in hot and humid cities found.

Run: python benchmarks/high_rise.py [--weather FILE.csv] [--days N] [--cop X] [--json]; a year takes some minutes.
     python benchmarks/high_rise.py --time   how much processor time a working day takes
The cooling plant is not in it: water comes at 7 degC, and its electricity is the cooling over a stated COP.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.model import HighRiseModel, sunshine
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
from simulator.weather import read_weather

WEATHER = Path(__file__).resolve().parents[1] / "config" / "weather" / "hot_humid_tmy3.csv.gz"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR, DAY = 3600.0, 86400.0
LOOK_S = 600.0
"""Comfort is looked at this often."""
PRESSURE = 60.0
"""[kPa] that a plant keeps at the coils."""
STATED_COP = 2.95
"""Of a cooling plant under its old controls: chillers, all pumps, towers."""
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


def opened(weather_file: Path, start: datetime) -> HighRise:
    model = HighRiseModel()
    weather = read_weather(
        weather_file, latitude=model.latitude, longitude=model.longitude, utc_offset_h=model.utc_offset_h
    )
    return HighRise(model, start.timestamp(), weather, sunshine(model, weather))


def run(site: HighRise, days: int) -> tuple[Comfort, float]:
    """Comfort, and the largest mean of ten minutes of the coils' heat [kW]."""
    comfort, peak, known = Comfort(), 0.0, 0.0
    end = site.now + days * DAY
    while site.now < end:
        site.advance(site.now + 60.0, served(site.demand))
        if site.now % LOOK_S == 0.0:
            comfort.look(site, LOOK_S / HOUR)
            cooling = site.cooling_energy()
            peak, known = max(peak, (cooling - known) * HOUR / LOOK_S), cooling
    return comfort, peak


def figures(site: HighRise, comfort: Comfort, peak: float, cop: float) -> Iterable[tuple[str, str, str]]:
    """What, how much, and what was published."""
    area = site.model.area
    per_area = {use: sum(site.energy(machine) for machine in machines) / area for use, machines in END_USES.items()}
    cooling = site.cooling_energy() / area
    plant = cooling / cop
    made = -per_area["photovoltaics"]
    used = plant + sum(per_area.values()) + made
    air = plant + per_area["fans of the air handlers"] + per_area["split units"]
    equipment = per_area["plug loads of the offices"] + per_area["computers of the computer rooms"]
    yield "electricity used, kWh/m²", f"{used:.1f}", PUBLISHED["electricity"]
    yield f"of it cooling plant at a stated COP of {cop:g}", f"{plant:.1f}", ""
    for use, value in per_area.items():
        yield f"of it {use}" if value > 0.0 else use, f"{value:.2f}", PUBLISHED["garage"] if use == "garage" else ""
    yield "cooling and air: share", f"{100.0 * air / used:.0f} %", PUBLISHED["share of cooling and air"]
    lighting = per_area["lighting of the offices"]
    yield "lighting: share", f"{100.0 * lighting / used:.0f} %", PUBLISHED["share of lighting"]
    yield "plug loads and computers: share", f"{100.0 * equipment / used:.0f} %", PUBLISHED["share of equipment"]
    yield "cooling of the coils, kWh/m²", f"{cooling:.0f}", ""
    yield "largest ten minutes of it, W/m²", f"{1000.0 * peak / area:.0f}", ""
    yield "hours at that load", f"{cooling * area / peak:,.0f}", ""
    yield "gas, kWh/m²", f"{site.gas_volume() * site.model.hot_water.boiler.heating_value / area:.1f}", ""
    yield "water, m³/m²", f"{site.water_mass() / 1000.0 / area:.2f}", ""
    yield "hours with people", f"{comfort.hours:,.0f}", ""
    yield f"of them above {STUFFY:g} ppm of CO2", f"{comfort.stuffy:,.0f}", ""
    yield f"above {WARM:g} °C, K·h", f"{comfort.warm:.0f}", ""
    yield f"below {COLD:g} °C, K·h", f"{comfort.cold:.0f}", ""


def processor_time(weather_file: Path) -> None:
    """Of a day at steps of 10 s, the air handlers running from six to ten: a Wednesday in July."""
    site = opened(weather_file, datetime(2026, 7, 21, tzinfo=ZoneInfo("Asia/Shanghai")))
    for name in ("the first day, weather read for the first time", "a working day"):
        end, begin = site.now + DAY, time.process_time()
        while site.now < end:
            site.advance(site.now + 10.0, served(site.demand))
        print(f"{name}: {time.process_time() - begin:.2f} s of processor time")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--weather", type=Path, default=WEATHER)
    arguments.add_argument("--days", type=int, default=365)
    arguments.add_argument("--cop", type=float, default=STATED_COP)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--time", action="store_true")
    given = arguments.parse_args()
    if given.time:
        processor_time(given.weather)
        return
    site = opened(given.weather, START)
    comfort, peak = run(site, given.days)
    rows = list(figures(site, comfort, peak, given.cop))
    if given.json:
        print(json.dumps({name: value for name, value, _ in rows}, ensure_ascii=False, indent=1))
        return
    print("| figure | here | published |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
