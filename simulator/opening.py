"""From files to a running site."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from simulator.competent import Competent
from simulator.design_day import DesignDay, repeated
from simulator.engine import Engine
from simulator.faults.fault import Fault
from simulator.load import Loads, fitted, read_loads
from simulator.own_controls import Baseline
from simulator.site import Site
from simulator.sizes import Sizes
from simulator.variation import NOMINAL, Variation, varied, varied_loads
from simulator.weather import Weather, read_weather


@dataclass(frozen=True, slots=True)
class Opening:
    """How a simulated building begins. latitude [deg north], longitude [deg east]; step_s: where its steps can be
    chosen; sizes: None for its own; baseline: whose controls it has of its own.
    """

    start: datetime
    weather: Path | DesignDay
    latitude: float
    longitude: float
    zone: tzinfo
    load_file: Path | None = None
    variation: Variation = NOMINAL
    sizes: Sizes | None = None
    step_s: float = 1.0
    seed: int = 0
    faults: Collection[Fault] = ()
    holidays: Collection[date] = ()
    baseline: Baseline = Baseline.ORIGINAL


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
    baseline: Baseline = Baseline.ORIGINAL,
) -> tuple[Engine, list[str]]:
    """The engine, and notes for the person who started it (what was read, what was scaled). baseline: whose controls
    the site has of its own.

    Raises ValueError with file, line and what would be right. A cooling load is scaled only where its peak exceeds the
    capacity of the chiller.
    """
    site = varied(site or Site(), variation)
    weather_there = outdoors(
        weather,
        latitude=site.latitude,
        longitude=site.longitude,
        utc_offset_h=standard_offset_h(site.zone, start),
    )
    notes = [f"weather: {weather_there.source}"]
    loads = None
    if load_file is not None:
        loads = loads_for(load_file, site, variation)
        notes += [f"load: {record.note}" for record in loads if record is not None]
    engine = Engine(
        start,
        weather_there,
        site=site,
        loads=loads,
        step_s=step_s,
        seed=seed,
        wire_now=wire_now,
        faults=faults,
        holidays=holidays,
        controls=Competent() if baseline is Baseline.COMPETENT else None,
    )
    return engine, notes


def loads_for(file: Path, site: Site, variation: Variation) -> Loads:
    """A building's own loads, as this site's plant takes them. Raises ValueError with line and what would be right."""
    found = varied_loads(read_loads(file), variation)
    return Loads(fitted(found.cooling, site.plant.chiller.capacity) if found.cooling else None, found.electricity)


def outdoors(given: Path | DesignDay, *, latitude: float, longitude: float, utc_offset_h: float) -> Weather:
    """A typical year at a place. Raises ValueError with file, line and what would be right."""
    if isinstance(given, DesignDay):
        return repeated(given, latitude=latitude, longitude=longitude, utc_offset_h=utc_offset_h)
    return _read(given, sha256(given.read_bytes()).digest(), latitude, longitude, utc_offset_h)


@lru_cache(maxsize=4)
def _read(file: Path, digest: bytes, latitude: float, longitude: float, utc_offset_h: float) -> Weather:
    """Read once, and known as the same by whoever reckons with it for seconds. digest: of the file's bytes."""
    del digest
    return read_weather(file, latitude=latitude, longitude=longitude, utc_offset_h=utc_offset_h)


def standard_offset_h(zone: tzinfo, start: datetime) -> float:
    """Of local standard time from UTC [h]."""
    local = start.astimezone(zone)
    return ((local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))).total_seconds() / 3600.0
