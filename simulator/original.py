"""The site's own original controls: what every machine does while its remote bit is clear.

Plain relay logic as found in old plants: a week timer, a fixed setpoint, constant speed, lamps by the clock. Everything
is level-triggered, so a machine that is handed back in any state finds its next step without a memory of how it got
there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from simulator.own_controls import PlantCommands, PlantSeen
from simulator.plant.tower import Fan

CHILLED_WATER_SETPOINT = 7.0  # [degC]
PUMP_OVERRUN_S = 180.0  # pumps run on after the chiller, so that its barrels do not stand cold
# Tower fan: stages by the water that leaves the basin [degC], switched off 2 K below.
_FAN_LOW_ABOVE, _FAN_HIGH_ABOVE, _FAN_DIFFERENTIAL = 25.0, 28.0, 2.0
_OUTDOOR_OFF_AT, _OUTDOOR_ON_AT = 6 * 3600.0, 18 * 3600.0
_FACADE_ON_AT = 18 * 3600.0
_DARK_BELOW, _LIGHT_ABOVE = 30.0, 60.0  # [lx] of the twilight switch
_GARAGE_DAY_FROM = 6 * 3600.0
GARAGE_NIGHT_BRIGHTNESS = 0.5


@dataclass(frozen=True, slots=True)
class WeekTimer:
    """(on, off) in hours of the day for Monday to Friday, Saturday and Sunday; equal hours mean never."""

    working_day: tuple[float, float]
    saturday: tuple[float, float]
    sunday: tuple[float, float]

    def is_on(self, weekday: int, second: float) -> bool:
        on, off = (self.working_day, self.saturday, self.sunday)[max(0, weekday - 4)]
        return on * 3600.0 <= second < off * 3600.0


OFFICE_TIMER = WeekTimer(working_day=(6.0, 22.0), saturday=(6.0, 18.0), sunday=(0.0, 0.0))
"""The hours of the building's air handlers (see plant/occupancy.py)."""
OFFICE_LAMPS = WeekTimer(working_day=(7.5, 20.0), saturday=(8.0, 18.0), sunday=(0.0, 0.0))
"""When the lamps of an office floor are switched on by the first, and off by the last or the guard."""
ALWAYS_ON = WeekTimer((0.0, 24.0), (0.0, 24.0), (0.0, 24.0))


class PlantWishes(NamedTuple):
    condenser_pump: bool
    chilled_water_pump: bool
    chiller: bool


def plant_wishes(
    *, timer: bool, chiller_calls: bool, overrun: bool, condenser_pump_runs: bool, chilled_water_pump_runs: bool
) -> PlantWishes:
    """Start order condenser pump, chilled water pump, chiller; stop order chiller, then both pumps after their overrun.

    chiller_calls: the chiller runs or asks for its pumps, whoever enabled it; overrun: the time after that is not over.
    So a pump in the hands of the original controls never leaves a running chiller.

    """
    hold = chiller_calls or overrun
    return PlantWishes(
        condenser_pump=timer or hold,
        chilled_water_pump=hold or (timer and condenser_pump_runs),
        chiller=timer and (chiller_calls or (condenser_pump_runs and chilled_water_pump_runs)),
    )


def fan_stage(fan: Fan, basin: float, *, pump_runs: bool) -> Fan:
    """Next stage of the tower fan for a basin temperature [degC]."""
    if not pump_runs:
        return Fan.OFF
    if basin > _FAN_HIGH_ABOVE or (fan is Fan.HIGH and basin > _FAN_HIGH_ABOVE - _FAN_DIFFERENTIAL):
        return Fan.HIGH
    if basin > _FAN_LOW_ABOVE or (fan is not Fan.OFF and basin > _FAN_LOW_ABOVE - _FAN_DIFFERENTIAL):
        return Fan.LOW
    return Fan.OFF


def garage_brightness(second: float) -> float:
    """Full from 06:00 to 24:00, half in the night; motion is not used."""
    return 1.0 if second >= _GARAGE_DAY_FROM else GARAGE_NIGHT_BRIGHTNESS


def is_dark(illuminance: float, was_dark: bool) -> bool:
    """Twilight switch with hysteresis for an illuminance [lx]."""
    return illuminance < (_LIGHT_ABOVE if was_dark else _DARK_BELOW)


def outdoor_timer(second: float) -> bool:
    """A timer without seasons, 18:00 to 06:00. The twilight switch beside it keeps the lamps on while it is dark."""
    return second >= _OUTDOOR_ON_AT or second < _OUTDOOR_OFF_AT


def facade_timer(second: float) -> bool:
    """18:00 to midnight, all year."""
    return second >= _FACADE_ON_AT


class Original:
    """All of them together; they remember nothing."""

    def initial(self) -> None:
        """Nothing to remember."""

    def plant(self, state: None, seen: PlantSeen, dt: float) -> tuple[None, PlantCommands]:
        """By the timer, 7 degC, full speed, fan by the basin."""
        del dt
        wishes = plant_wishes(
            timer=seen.timer,
            chiller_calls=seen.chiller_calls,
            overrun=seen.overrun,
            condenser_pump_runs=seen.condenser_pump_runs,
            chilled_water_pump_runs=seen.chilled_water_pump_runs,
        )
        fan = fan_stage(seen.fan, seen.basin, pump_runs=seen.condenser_pump_runs)
        return state, PlantCommands(*wishes, CHILLED_WATER_SETPOINT, 1.0, fan)

    def brightness(self, weekday: int, second: float) -> float:
        """The same every day."""
        del weekday
        return garage_brightness(second)

    def outdoor(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """The timer, and the twilight switch beside it."""
        return outdoor_timer(second) or is_dark(daylight(), was_on)

    def facade(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """The timer alone."""
        del daylight, was_on
        return facade_timer(second)

    def office(self, weekday: int, second: float) -> bool:
        """From the first to the last, or the guard."""
        return OFFICE_LAMPS.is_on(weekday, second)
