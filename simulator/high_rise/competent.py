"""A competent baseline for the high-rise: what its own controls could do without forecasts, tariffs or a supervisor.

References
----------
[1] ASHRAE Guideline 36-2021, 5.1.14 (trim and respond), 5.6.8 (requests of cooling-only boxes), 5.16.1.2 and 5.16.2.2
    (resets of duct static pressure and supply air temperature, with their default increments), 5.2.1.3 (outdoor air by
    CO2). Requests are ignored from one box, for an air handler has five here and not dozens.
[2] ASHRAE, "Thermal Guidelines for Data Processing Environments" (2015): 18 to 27 degC at the intake.
[3] GB/T 18883-2022: 1000 ppm of CO2.
[4] CJJ 45-2015 (lighting of city roads): lamps by dusk and dawn of the day; JGJ 100-2015 (design of garages): 30 lx on
    parking places.
"""

from collections.abc import Sequence

from simulator.civil import LocalTime
from simulator.high_rise.air_controls import ROOM_BAND, FloorCommands, Reset
from simulator.high_rise.air_floors import Floor
from simulator.high_rise.air_side import FloorState
from simulator.high_rise.computer_rooms import UnitCommands
from simulator.high_rise.hot_water import HotWaterCommands
from simulator.high_rise.lighting import LightingCommands, LightingModel
from simulator.plant.occupancy import building_use

_ROOM = 24.0  # [degC] as before: a baseline gives the same comfort
_RESET_S, _IGNORED = 120.0, 1  # [1]
# Least, most, trim, response to a request, largest response: of the duct [kPa] and of the supply air [K]  [1].
_DUCT = (0.025, 0.375, -0.012, 0.015, 0.032)
# In a hot and humid city rooms get wet above 16 degC of supply air.
_AIR = (12.0, 16.0, 0.1, -0.2, -0.6)
_OPEN, _VERY_WARM, _TOO_WARM = 0.95, 3.0, 2.0
# Outdoor-air damper over the CO2 of the worst room [ppm]  [1], [3].
_FRESH, _STALE, _LEAST_DAMPER, _MOST_DAMPER = 800.0, 1000.0, 0.05, 0.40
_LEAD, _LAG = UnitCommands(True, on_above=26.0, off_below=24.0), UnitCommands(True, on_above=27.0, off_below=25.0)
_BOILER_FROM, _BOILER_UNTIL = 5.0 * 3600.0, 21.0 * 3600.0
_NIGHT_FROM, _NIGHT_UNTIL, _NIGHT_BRIGHTNESS = 22.0 * 3600.0, 6.0 * 3600.0, 0.5


class Competent:
    """Resets by trim and respond, outdoor air by CO2, one unit of a pair, lamps by the sun."""

    def air(
        self, reset: Reset, floor: Floor, state: FloorState, local: LocalTime, dt: float
    ) -> tuple[Reset, FloorCommands]:
        """Of storeys alike, dt [s] after the last time; with the hours of the old controls."""
        fan = building_use(local.weekday, int(local.second // 3600.0)).air_handlers
        rooms = [zone.air - _ROOM for zone in state.zones]
        if fan and any(state.openings):
            times = dt / _RESET_S
            open_boxes = sum([opening > _OPEN for opening in state.openings])
            pressure = _trimmed(reset.duct_pressure, open_boxes, _DUCT, times)
            reset = Reset(_trimmed(reset.supply_air, _calls(rooms), _AIR, times), pressure)
        stale = (max([zone.co2 for zone in state.zones]) - _FRESH) / (_STALE - _FRESH)
        damper = _LEAST_DAMPER + (_MOST_DAMPER - _LEAST_DAMPER) * min(1.0, max(0.0, stale))
        room = (_ROOM,) * len(floor.zones)
        return reset, FloorCommands(fan, reset.supply_air, reset.duct_pressure, damper, room)

    def units(self) -> tuple[UnitCommands, ...]:
        """One leads, the other helps where that is not enough, within what computers bear [2]."""
        return _LEAD, _LAG

    def boiler(self, local: LocalTime) -> HotWaterCommands:
        """While people come and go."""
        return HotWaterCommands(local.weekday < 6 and _BOILER_FROM <= local.second < _BOILER_UNTIL, 65.0)

    def lamps(self, model: LightingModel, local: LocalTime, *, dark: bool) -> LightingCommands:
        """Decks at half in the night; outdoor lamps while it is dark; the façade until its hour [4]."""
        night = local.second >= _NIGHT_FROM or local.second < _NIGHT_UNTIL
        brightness = _NIGHT_BRIGHTNESS if night else 1.0
        facade = dark and local.second > _BOILER_FROM and local.second < model.facade_off
        return LightingCommands((brightness,) * len(model.decks), dark, facade)


def _trimmed(setpoint: float, requests: int, limits: tuple[float, float, float, float, float], times: float) -> float:
    """A setpoint after some times of trim and respond [1]."""
    least, most, trim, respond, largest = limits
    counted = max(0, requests - _IGNORED)
    change = trim if counted == 0 else max(-abs(largest), min(abs(largest), respond * counted))
    return min(most, max(least, setpoint + change * times))


def _calls(rooms: Sequence[float]) -> int:
    """Requests of rooms for colder air, by how much each is above its setpoint [K]  [1], 5.6.8.1."""
    return sum(
        [3 if room > _VERY_WARM else 2 if room > _TOO_WARM else int(room > _OPEN * 0.5 * ROOM_BAND) for room in rooms]
    )
