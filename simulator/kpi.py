"""What a stretch of the site's time has cost and brought: energy, money, carbon, peak, comfort and wear.

Counted from readings, whoever gives them: a simulated site's own, or what a daemon has read of it. After BOPTEST's key
performance indicators (Blum et al. 2021, Journal of Building Performance Simulation 14(5)), with light beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from controller.core.sample import Scalar, as_number
from controller.core.tariff import Energy, Stretch, Tariff
from simulator.lamp_account import LIGHT_FLOOR, CountedLamps, LampLook, dark_places, grown, look_at_lamps, numbers

Read: TypeAlias = Callable[[str], Scalar | None]
"""The present value of a point of the site; None where it is not known."""

COMFORT_LIMIT = 26.0
"""Air temperature [degC] above which cooling is missed: the top of the office's proportional band."""
INTERVAL_S = 900.0
"""Demand is the mean power over this long, on the clock's quarters."""
_SECONDS_PER_HOUR = 3600.0


class Room(NamedTuple):
    """air: its temperature [degC]; called: whether cooling is called for there; share: of the building's floor."""

    air: str
    called: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Which points are looked at: counters of the whole site, of its cooling plant's machines, of the cold that the
    building has got; the tank's content; rooms; illuminances; status of the chillers; positions of what wears by
    moving; the gas meter, the battery's content, meters of all water and of the cooling plant's make-up, None without
    one; lamps, where they are counted.
    """

    energy: str = "meter.main_1.energy"
    plant: tuple[str, ...] = tuple(
        f"plant.{machine}.energy"
        for machine in (
            *("chiller_1", "chilled_water_pump_1", "condenser_water_pump_1"),
            *("secondary_pump_1", "cooling_tower_1"),
        )
    )
    cooling: str = "plant.chilled_water_loop_1.cooling_energy"
    stored: str = "plant.tank_1.stored_energy"
    rooms: tuple[Room, ...] = (Room("building.zone_1.air_temperature", "plant.secondary_pump_1.status"),)
    light: tuple[str, ...] = tuple(f"garage.group_{number}.illuminance" for number in (1, 2, 3))
    chillers: tuple[str, ...] = ("plant.chiller_1.status",)
    actuators: tuple[str, ...] = (
        *("plant.tank_1.charge_valve_position", "plant.tank_1.discharge_valve_position"),
        "plant.chilled_water_pump_1.speed",
    )
    gas: str | None = None
    battery: str | None = None
    water: str | None = None
    plant_water: str | None = None
    lamps: CountedLamps | None = None


_ROWS = tuple(f"office.row_{number}" for number in (1, 2, 3))
DEMO = Counted(
    lamps=CountedLamps(
        garage=(
            *(f"garage.group_{number}.energy" for number in (1, 2, 3)),
            "garage.lighting_1.energy",
            *(f"garage.sensor_lamps_{number}.energy" for number in (1, 2)),
        ),
        outdoors=("outdoor.lighting_1.energy", "outdoor.lighting_2.energy"),
        office=tuple(f"{row}.energy" for row in _ROWS),
        lit="outdoor.lighting_1.status",
        sky="outdoor.daylight_sensor_1.illuminance",
        desks=tuple((f"{row}.illuminance", f"{row}.motion") for row in _ROWS),
    )
)
"""The points of the demonstration site."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the time that was looked at. energy: of the whole site [kWh]; plant_energy: of its cooling plant [kWh].

    money, plant_money: by the tariff, 0 without one; unpriced: energy at times without a price [kWh]. peak: greatest
    quarter-hour mean [kW]. cooling: delivered to the building [kWh]; stored: growth of the tank's cold [kWh].
    unmet_cooling: above COMFORT_LIMIT while cooling was called for, mean of the rooms by their floor [K h].
    light_shortfall: under LIGHT_FLOOR, summed over the garage's groups [lx h]. starts: of the chillers. travel: of
    valves and drives, as seen from look to look [full strokes]. gas: [m3]; battery: growth of its content [kWh]; water:
    of the whole site, plant_water: of the cooling plant's basin [m3]. hours: looked at. garage_energy,
    outdoor_energy, office_energy: of their lamps [kWh]. lit_hours: of the outdoor lamps. dark_minutes: under
    LIGHT_FLOOR, OUTDOOR_FLOOR or DESK_FLOOR, summed over the places.
    """

    energy: float = 0.0
    plant_energy: float = 0.0
    money: float = 0.0
    plant_money: float = 0.0
    unpriced: float = 0.0
    peak: float = 0.0
    cooling: float = 0.0
    stored: float = 0.0
    unmet_cooling: float = 0.0
    light_shortfall: float = 0.0
    starts: int = 0
    travel: float = 0.0
    gas: float = 0.0
    battery: float = 0.0
    water: float = 0.0
    plant_water: float = 0.0
    hours: float = 0.0
    garage_energy: float = 0.0
    outdoor_energy: float = 0.0
    office_energy: float = 0.0
    lit_hours: float = 0.0
    dark_minutes: float = 0.0

    @property
    def specific_energy(self) -> float:
        """Electricity for a unit of cold made, delivered or stored [kWh/kWh]; 0 while none was made."""
        made = self.cooling + self.stored
        return self.plant_energy / made if made > 0.0 else 0.0


class Quarter(NamedTuple):
    """A quarter of the clock's hours. start: seconds of the epoch. power: mean of the whole site [kW]; at its end the
    warmest air [degC] and the tank's cold [kWh].
    """

    start: float
    power: float
    air: float
    stored: float


class _Look(NamedTuple):
    """Counters and states at one instant."""

    at: datetime
    energy: float
    plant_energy: float
    cooling: float
    stored: float
    air: float
    too_warm: float
    too_dark: float
    runs: tuple[bool, ...]
    positions: tuple[float | None, ...]
    beside: tuple[float, ...]
    """Of _BESIDE, 0 of what nobody counts."""
    lamps: LampLook


class Account:
    """Looks at readings again and again; between two looks everything is taken to go evenly.

    quarters: those that have been looked at whole, where they are kept.
    """

    def __init__(self, tariff: Tariff | None, counted: Counted = DEMO, *, keeps_quarters: bool = False) -> None:
        self._tariff = tariff
        self._counted = counted
        self._last: _Look | None = None
        self._quarter_energy: float | None = None
        self._stretch: Stretch | None = None
        self._names = _names(counted)
        self._keeps_quarters = keeps_quarters
        self.quarters: list[Quarter] = []
        # Added up one by one: a day has 1,440 looks, and its figures are asked for once.
        self._sums: dict[str, Any] = asdict(Figures())

    def look(self, at: datetime, read: Read) -> bool:
        """Count up to `at`, aware UTC; answers whether everything could be read. What could not begins the account
        later, or is counted by the next look."""
        look = _look(self._counted, self._names, at, read)
        if look is None:
            return False
        last = self._last
        if last is not None and look.lamps.has_gap:
            look = look._replace(lamps=look.lamps.since(last.lamps))
        self._last = look
        if last is None and at.timestamp() % INTERVAL_S == 0.0:
            self._quarter_energy = look.energy
        if last is None or at <= last.at:
            return True
        sums = self._sums
        hours = (at - last.at).total_seconds() / _SECONDS_PER_HOUR
        energy, plant_energy = look.energy - last.energy, look.plant_energy - last.plant_energy
        (money, unpriced), (plant_money, _) = self._costs(last.at, at, energy, plant_energy)
        sums["energy"] += energy
        sums["plant_energy"] += plant_energy
        sums["money"] += money
        sums["plant_money"] += plant_money
        sums["unpriced"] += unpriced
        sums["peak"] = max(sums["peak"], self._demand(last, look))
        sums["cooling"] = sums["cooling"] + look.cooling - last.cooling
        sums["stored"] = sums["stored"] + look.stored - last.stored
        sums["unmet_cooling"] += last.too_warm * hours
        sums["light_shortfall"] += last.too_dark * hours
        if look.runs != last.runs:
            sums["starts"] += sum(now and not before for now, before in zip(look.runs, last.runs, strict=True))
        if look.positions != last.positions:
            sums["travel"] += _travel(last, look)
        if look.beside != last.beside:
            for name, now, before in zip(_BESIDE, look.beside, last.beside, strict=True):
                sums[name] += now - before
        sums["hours"] += hours
        was, lamps = last.lamps, look.lamps
        sums["garage_energy"] += grown(was.garage, lamps.garage)
        sums["outdoor_energy"] += grown(was.outdoors, lamps.outdoors)
        sums["office_energy"] += grown(was.office, lamps.office)
        sums["lit_hours"] += was.lit * hours
        sums["dark_minutes"] += dark_places(was, lamps) * hours * 60.0
        return True

    @property
    def figures(self) -> Figures:
        """Up to the last look."""
        return Figures(**self._sums)

    def _costs(self, start: datetime, end: datetime, *energies: float) -> list[tuple[float, float]]:
        """Of energies between two instants: money, and what has no price [kWh]."""
        if self._tariff is None:
            return [(0.0, 0.0) for _ in energies]
        known = self._stretch
        if known is None or not known.start <= start < end <= known.end:
            # One look-up serves until the price changes.
            day = self._tariff.bands_of_day(start.astimezone(self._tariff.zone).date())
            known = next((each for each in day if each.start <= start < end <= each.end), None)
            self._stretch = known
        if known is not None:
            return [(energy * known.price, 0.0) for energy in energies]
        costs = [self._tariff.cost_of([Energy(start, end, energy)]) for energy in energies]
        return [(cost.money, cost.unpriced) for cost in costs]

    def _demand(self, last: _Look, look: _Look) -> float:
        """The mean power [kW] of a quarter of an hour that has been looked at whole and has just ended, else 0."""
        begin, end = last.at.timestamp(), look.at.timestamp()
        edge = end // INTERVAL_S * INTERVAL_S
        if edge <= begin:
            return 0.0
        at_edge = last.energy + (look.energy - last.energy) * (edge - begin) / (end - begin)
        before, self._quarter_energy = self._quarter_energy, at_edge
        if before is None or edge - INTERVAL_S > begin:
            return 0.0
        power = (at_edge - before) / (INTERVAL_S / _SECONDS_PER_HOUR)
        if self._keeps_quarters:
            self.quarters.append(Quarter(edge - INTERVAL_S, power, look.air, look.stored))
        return power


_BESIDE = ("gas", "battery", "water", "plant_water")
"""Counters and contents that not every site has, by the names of their figures."""


def _beside(points: Counted) -> Sequence[str | None]:
    return points.gas, points.battery, points.water, points.plant_water


def _names(points: Counted) -> Sequence[str]:
    """What has to be readable for a look."""
    return (
        *(points.energy, points.cooling, points.stored),
        *(name for name in _beside(points) if name is not None),
        *points.plant,
        *(room.air for room in points.rooms),
        *points.light,
    )


def _look(points: Counted, names: Sequence[str], at: datetime, read: Read) -> _Look | None:
    """None where something of these names cannot be read. What says nothing of its position does not travel."""
    known = numbers(names, read)
    if known is None:
        return None
    energy, cooling, stored, *rest = known
    beside = tuple([0.0 if name is None else rest.pop(0) for name in _beside(points)])
    plant, air = len(points.plant), len(points.plant) + len(points.rooms)
    rooms, light = rest[plant:air], rest[air:]
    warmest = max(rooms)
    return _Look(
        at,
        energy,
        sum(rest[:plant]),
        cooling,
        stored,
        warmest,
        _too_warm(points.rooms, rooms, read) if warmest > COMFORT_LIMIT else 0.0,
        sum([LIGHT_FLOOR - each for each in light if each < LIGHT_FLOOR]),
        tuple([bool(read(each)) for each in points.chillers]),
        tuple([as_number(read(each)) for each in points.actuators]),
        beside,
        LampLook() if points.lamps is None else look_at_lamps(points.lamps, light, read),
    )


def _too_warm(rooms: Sequence[Room], air: Sequence[float], read: Read) -> float:
    """Mean by floor of what is missed [K]."""
    return sum(
        (value - COMFORT_LIMIT) * room.share
        for room, value in zip(rooms, air, strict=True)
        if value > COMFORT_LIMIT and read(room.called)
    )


def _travel(last: _Look, look: _Look) -> float:
    both = zip(last.positions, look.positions, strict=True)
    return sum(abs(now - before) for before, now in both if before is not None and now is not None)
