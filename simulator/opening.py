"""From files to a running site."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from simulator.design_day import DesignDay, repeated
from simulator.engine import Engine
from simulator.faults.fault import Fault
from simulator.load import Loads, fitted, read_loads
from simulator.site import Site
from simulator.variation import NOMINAL, Variation, varied, varied_loads
from simulator.weather import Weather, read_weather


def open_engine(
    start: datetime,
    weather: Path | DesignDay,
    *,
    load_file: Path | None = None,
    site: Site | None = None,
    variation: Variation = NOMINAL,
    step_s: float = 1.0,
    seed: int = 0,
    wire_now: float = 0.0,
    faults: Iterable[Fault] = (),
    holidays: Collection[date] = (),
) -> tuple[Engine, list[str]]:
    """The engine, and notes for the person who started it (what was read, what was scaled).

    Raises ValueError with file, line and what would be right. A cooling load is scaled only where its peak exceeds the
    capacity of the chiller.
    """
    site = varied(site or Site(), variation)
    outdoors = _weather(weather, site, start)
    notes = [f"weather: {outdoors.source}"]
    loads = None
    if load_file is not None:
        found = varied_loads(read_loads(load_file), variation)
        cooling = fitted(found.cooling, site.plant.chiller.capacity) if found.cooling else None
        loads = Loads(cooling, found.electricity)
        notes += [f"load: {record.note}" for record in (cooling, found.electricity) if record is not None]
    engine = Engine(
        start,
        outdoors,
        site=site,
        loads=loads,
        step_s=step_s,
        seed=seed,
        wire_now=wire_now,
        faults=faults,
        holidays=holidays,
    )
    return engine, notes


def _weather(given: Path | DesignDay, site: Site, start: datetime) -> Weather:
    local = start.astimezone(site.zone)
    standard = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
    offset = standard.total_seconds() / 3600.0
    if isinstance(given, DesignDay):
        return repeated(given, latitude=site.latitude, longitude=site.longitude, utc_offset_h=offset)
    return read_weather(given, latitude=site.latitude, longitude=site.longitude, utc_offset_h=offset)
