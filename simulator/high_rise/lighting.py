"""Lamps of the high-rise outside its offices: three garage decks, façade and outdoor lamps, with their old controls.

References
----------
[1] Retrofits of 36 garages with 16,500 lamps: tubes that are always on take 276.03 kWh a garage and day and give
    58.9 lx, networked sensor lamps in their place 40.77 kWh and 75.8 lx where somebody is (docs/plant-models.md).
[2] JGJ/T 163-2008 (night lighting in cities) knows a curfew: façades are lit from nightfall on and go dark at night.
[3] P. K. Seidelmann (ed.), "Explanatory Supplement to the Astronomical Almanac", 1992, chapter 9: light of a clear sky
    by the altitude of the sun.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from simulator.plant.garage_traffic import GarageTraffic
from simulator.plant.lamps import LampGroupModel, group_illuminance, group_power
from simulator.sun import clear_sky_illuminance, solar_elevation

_DECKS = (92, 214, 152)
"""Lamps on ramp and aisles, main deck, lower deck: 458 in all, as many as a garage of [1] has on average."""
_TUBE = 276.03 / 24.0 / sum(_DECKS)  # [kW] [1]
TUBES = tuple(LampGroupModel(lamps, _TUBE, 0.0, 58.9, 1e9) for lamps in _DECKS)
SENSOR_LAMPS = tuple(LampGroupModel(lamps, 0.018, 0.0006, 140.0, 0.5) for lamps in _DECKS)
"""As in simulator/site.py: dimmable, with standby power, brighter than a deck needs."""
TRAFFIC = GarageTraffic(cars=420.0, decks=(0.10, 0.52, 0.38), hold_s=30.0)

NEEDED = 30.0
"""Light of a clear sky [lx] below which lamps outdoors are needed, as the twilight switch of simulator/original.py."""
_DAY_S = 86400.0
_STEP_S = 150.0
"""In which the clock is set: as often as the building is looked at."""


class FixedClock(NamedTuple):
    """Seconds of the day by the clock: lamps are on from `on` to `off`, over midnight where that is the earlier."""

    on: float
    off: float

    def is_on(self, second: float) -> bool:
        return second >= self.on or second < self.off if self.off < self.on else self.on <= second < self.off


@dataclass(frozen=True, slots=True)
class LightingModel:
    """decks of the garage and the traffic on them; outdoor and facade: power of their lamps [kW]; facade_off: when the
    façade goes dark [s of the day].
    """

    decks: tuple[LampGroupModel, ...]
    traffic: GarageTraffic
    outdoor: float
    facade: float
    facade_off: float


LIGHTING = LightingModel(SENSOR_LAMPS, TRAFFIC, outdoor=6.0, facade=36.0, facade_off=22.5 * 3600.0)


class LightingCommands(NamedTuple):
    """brightness of each deck [0..1]; outdoor and facade: whether they are on."""

    brightness: tuple[float, ...]
    outdoor: bool
    facade: bool


class LightingOutput(NamedTuple):
    """Electric power [kW] of each deck, outdoor lamps and façade; illuminance on each deck [lx]."""

    decks: tuple[float, ...]
    outdoor: float
    facade: float
    illuminance: tuple[float, ...]


def lit(model: LightingModel, commands: LightingCommands) -> LightingOutput:
    """What lamps take and give at once; ramps of a second or two are over before anybody looks."""
    return LightingOutput(
        tuple([group_power(deck, share) for deck, share in zip(model.decks, commands.brightness, strict=True)]),
        model.outdoor if commands.outdoor else 0.0,
        model.facade if commands.facade else 0.0,
        tuple([group_illuminance(deck, share) for deck, share in zip(model.decks, commands.brightness, strict=True)]),
    )


@lru_cache(maxsize=8)
def never_late(latitude: float, longitude: float, utc_offset_h: float, year_start: float) -> FixedClock:
    """The shortest fixed clock that is never late in the year: on at the earliest dusk, off at the latest dawn [3], to
    2.5 minutes outwards. year_start [s of the Unix epoch]. For places where both occur every day.
    """
    noon = _DAY_S / 2.0 - longitude / 360.0 * _DAY_S + utc_offset_h * 3600.0  # mean solar noon by the clock
    dusks: list[float] = []
    dawns: list[float] = []
    for day in range(365):
        midnight = year_start + day * _DAY_S - utc_offset_h * 3600.0
        dusks.append(_crossing(midnight, noon, noon + _DAY_S / 2.0, latitude, longitude))
        dawns.append(_crossing(midnight, noon, noon - _DAY_S / 2.0, latitude, longitude))
    return FixedClock(min(dusks) // _STEP_S * _STEP_S, -(-max(dawns) // _STEP_S) * _STEP_S)


def is_dark(epoch_s: float, latitude: float, longitude: float) -> bool:
    """Whether a clear sky gives less light than is needed outdoors [3]."""
    return clear_sky_illuminance(solar_elevation(epoch_s, latitude, longitude)) < NEEDED


def _crossing(midnight: float, light: float, dark: float, latitude: float, longitude: float) -> float:
    """Second of the day, on the light side, at which dusk or dawn is, between a light and a dark one; by
    halving to 5 s.
    """
    while abs(dark - light) > 5.0:
        middle = 0.5 * (light + dark)
        if is_dark(midnight + middle, latitude, longitude):
            dark = middle
        else:
            light = middle
    return light
