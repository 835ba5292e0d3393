"""The demo's chilled-water storage on virtual time, and what its week is judged by: heat, bands, water, the bill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from controller.cli.site_folder import load_site
from controller.core.event import Event
from controller.core.point import PointId
from controller.core.site import Link, Mount, Site
from controller.core.strategy import Mode
from controller.core.tariff import Tariff
from controller.core.tariff_calendar import Band, Calendar
from simulator.engine import Engine
from tests.virtual_demo import DEMO, Change, Run, live

# Half an hour before midnight of a Monday in July in Shenzhen.
START = datetime(2026, 7, 5, 15, 30, tzinfo=UTC)
# Water moves slowly: scans and polls every ten seconds see as much as every second, in a tenth of the time.
STEP_S = 10.0
SUPPLY_BAND = (4.0, 9.0)
CHARGING_BAND = (4.0, 6.0)

CHILLER, CHILLED_WATER_PUMP, CONDENSER_WATER_PUMP, TANK, LOOP = (
    "plant.chiller_1",
    "plant.chilled_water_pump_1",
    "plant.condenser_water_pump_1",
    "plant.tank_1",
    "plant.chilled_water_loop_1",
)
MODE = PointId("plant.chilled_water_plant_1.mode")
SWAPPED = {Band.VALLEY: Band.PEAK, Band.DEEP_VALLEY: Band.PEAK, Band.PEAK: Band.VALLEY, Band.SUPER_PEAK: Band.VALLEY}


def storage_alone(mode: Mode = Mode.AUTO) -> Change:
    """The demo with this strategy only, at a slower pace."""

    def changed(site: Site) -> Site:
        every = timedelta(seconds=STEP_S)
        return replace(
            site,
            scan_every=every,
            links=tuple(_slowed(link, every) for link in site.links),
            mounts=tuple(_in(mode, mount) for mount in site.mounts if mount.id == "storage"),
        )

    return changed


def _slowed(link: Link, every: timedelta) -> Link:
    return replace(link, devices=tuple(replace(device, poll_every=every) for device in link.devices))


def _in(mode: Mode, mount: Mount) -> Mount:
    return replace(mount, mode=mode)


def with_bands_swapped(site: Site) -> Site:
    """The same hours with valley and peak exchanged, so that the strategy charges when it should discharge."""
    changed = storage_alone()(site)
    assert changed.tariff is not None
    versions = tuple(replace(each, calendar=_swapped(each.calendar)) for each in changed.tariff.versions)
    return replace(changed, tariff=replace(changed.tariff, versions=versions))


def _swapped(calendar: Calendar) -> Calendar:
    return Calendar(
        tuple(
            replace(
                entry,
                windows=tuple(replace(each, band=SWAPPED.get(each.band, each.band)) for each in entry.windows),
            )
            for entry in calendar.entries
        )
    )


class Bits(NamedTuple):
    """What stands in the plant at one moment."""

    chiller: bool
    chilled_water_pump: bool
    condenser_water_pump: bool
    charge_position: float
    discharge_position: float

    @property
    def is_isolated(self) -> bool:
        return self.charge_position == self.discharge_position == 0.0


def bits(engine: Engine) -> Bits:
    return Bits(
        bool(engine.read(f"{CHILLER}.status")),
        bool(engine.read(f"{CHILLED_WATER_PUMP}.status")),
        bool(engine.read(f"{CONDENSER_WATER_PUMP}.status")),
        float(engine.read(f"{TANK}.charge_valve_position")),
        float(engine.read(f"{TANK}.discharge_valve_position")),
    )


@dataclass
class Record:
    """What a run did, by the bands of the tariff that is really in force. Energies in kWh.

    running: seconds in which the building drew water or the tank was charged; outside: those of them in which the
    supply was outside its band. order: what came in the wrong order.
    """

    charged: dict[Band, float] = field(default_factory=dict[Band, float])
    discharged: dict[Band, float] = field(default_factory=dict[Band, float])
    used: dict[Band, float] = field(default_factory=dict[Band, float])
    bill: float = 0.0
    running: float = 0.0
    outside: float = 0.0
    order: list[str] = field(default_factory=list[str])
    modes: list[str] = field(default_factory=list[str])
    events: list[Event] = field(default_factory=list[Event])

    def look(self, engine: Engine, tariff: Tariff, energy: float, before: Bits) -> None:
        """The last step: `energy` is what the plant used in it, `before` how it stood at its beginning."""
        middle = engine.now - timedelta(seconds=STEP_S / 2)
        band, price = tariff.band_at(middle), tariff.price_at(middle)
        assert band is not None
        assert price is not None
        self.used[band] = self.used.get(band, 0.0) + energy
        self.bill += energy * price
        plant = engine.plant
        exchanged = abs(plant.storing() + plant.tank_gain) * STEP_S / 3600.0
        for flow, exchange in ((plant.flows.charge, self.charged), (plant.flows.discharge, self.discharged)):
            if flow > 0.0:
                exchange[band] = exchange.get(band, 0.0) + exchanged
        self._look_at_water(engine)
        self._look_at_order(engine.now, before, bits(engine))

    def _look_at_water(self, engine: Engine) -> None:
        flows, temperatures = engine.plant.flows, engine.plant.temperatures
        low, high = SUPPLY_BAND
        if flows.secondary > 0.5:
            self.running += STEP_S
            self.outside += 0.0 if low <= temperatures.supply <= high else STEP_S
        elif flows.charge > 0.0:
            self.running += STEP_S
            self.outside += 0.0 if CHARGING_BAND[0] <= temperatures.leaving <= CHARGING_BAND[1] else STEP_S

    def _look_at_order(self, at: datetime, before: Bits, now: Bits) -> None:
        if now.charge_position > 0.0 and now.discharge_position > 0.0:
            self.order.append(f"{at}: both valves are open")
        if now.chiller and not (now.chilled_water_pump and now.condenser_water_pump):
            self.order.append(f"{at}: the chiller runs without its pumps")
        if before.chilled_water_pump and not now.chilled_water_pump and not now.is_isolated:
            self.order.append(f"{at}: the pump stops while a valve of the tank is open")

    @property
    def share_in_band(self) -> float:
        return 1.0 - self.outside / self.running


def present(run: Run, point: PointId) -> str:
    """What the last scan saw, as text."""
    assert run.daemon.scan.frozen is not None
    return str(run.daemon.scan.frozen.samples[point].value)


def observed(hours: float, change: Change, *, start: datetime = START) -> Record:
    """A run of the demo under that change, looked at every STEP_S."""
    record = Record()

    async def life(run: Run) -> None:
        tariff = load_site(DEMO).tariff
        assert tariff is not None
        run.daemon.journal.listeners.append(record.events.append)
        for _ in range(round(hours * 3600.0 / STEP_S)):
            energy, before = run.engine.plant.energy(), bits(run.engine)
            await run.wait(STEP_S)
            record.look(run.engine, tariff, run.engine.plant.energy() - energy, before)
            mode = present(run, MODE)
            if record.modes[-1:] != [mode]:
                record.modes.append(mode)

    live(start, life, change=change, speed=60.0)
    return record
