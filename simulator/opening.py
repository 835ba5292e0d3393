"""From files to a running site."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from simulator.engine import Engine
from simulator.faults.fault import Fault
from simulator.load import Loads, fitted, read_loads
from simulator.site import Site
from simulator.weather import read_weather


def open_engine(
    start: datetime,
    weather_file: Path,
    *,
    load_file: Path | None = None,
    site: Site | None = None,
    step_s: float = 1.0,
    seed: int = 0,
    wire_now: float = 0.0,
    faults: Iterable[Fault] = (),
) -> tuple[Engine, list[str]]:
    """The engine, and notes for the person who started it (what was read, what was scaled).

    Raises ValueError with file, line and what would be right. A cooling load is scaled only where its peak exceeds the
    capacity of the chiller.
    """
    site = site or Site()
    local = start.astimezone(site.zone)
    standard = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
    weather = read_weather(
        weather_file,
        latitude=site.latitude,
        longitude=site.longitude,
        utc_offset_h=standard.total_seconds() / 3600.0,
    )
    notes = [f"weather: {weather.source}"]
    loads = None
    if load_file is not None:
        found = read_loads(load_file)
        cooling = fitted(found.cooling, site.plant.chiller.capacity) if found.cooling else None
        loads = Loads(cooling, found.electricity)
        notes += [f"load: {record.note}" for record in (cooling, found.electricity) if record is not None]
    engine = Engine(start, weather, site=site, loads=loads, step_s=step_s, seed=seed, wire_now=wire_now, faults=faults)
    return engine, notes
