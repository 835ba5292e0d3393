"""A competent baseline for the demonstration site: what a good contractor would deliver today without a supervisor.

No forecast, no prices, no motion sensors; the storage stays shut. The plant follows ASHRAE Guideline 36 as far as it
has the means: one chiller, a chilled water pump with a drive, condenser pump and secondary pump as they are, a tower
fan of two speeds. Lamps are timed. Hours and room temperature are those of the old controls: a baseline gives the same
comfort.

FROZEN before any comparison was made with it, and not tuned since: a test holds this file to its digest. Whoever must
change it makes every comparison anew. Façade and office came with their lamps, before they were compared.

References
----------
[1] ASHRAE Guideline 36-2021, 5.16.16 (requests of a cooling coil by its valve), 5.20.2.2 and 5.20.2.3 (plant enabled
    and disabled by requests), 5.20.5.2 (reset of the chilled water by trim and respond, with its default increments),
    5.20.6.17 (variable primary pumps keep 5 % of their design flow in the decoupler), 5.20.12.2 (tower fans hold the
    condenser water return at the chilled water's setpoint and a lift that grows with the load).
[2] S. T. Taylor, J. Stein et al., ASHRAE RP-1711 "Advanced sequences of operation for HVAC systems, phase II: central
    plants and hydronic systems", 2020: the same with its reasons.
[3] JGJ 100-2015 (design of garages): 30 lx on parking places, 50 lx on lanes, which timed lights must give at any hour:
    they see nobody.
[4] CJJ 45-2015 (lighting of city roads): lamps outdoors are switched by the light of the day.
[5] JGJ/T 163-2008 (night lighting in cities) knows a curfew: façades are lit from nightfall on and go dark at night.
[6] ASHRAE Standard 90.1-2019, 9.4.1.1(i): lamps of offices off by the clock after hours, with a switch for who stays.
"""

from collections.abc import Callable
from typing import NamedTuple

from simulator.original import WeekTimer, is_dark, plant_wishes
from simulator.own_controls import PlantCommands, PlantSeen
from simulator.plant.tower import Fan

# Requests of the coils' valve [1] 5.16.16: from wide open until nearly shut for cold, until less open for colder.
_WIDE_OPEN, _NEARLY_SHUT, _LESS_OPEN = 0.95, 0.10, 0.85
# Plant enabled and disabled [1] 5.20.2.
_HELD_S, _IDLE_S = 900.0, 180.0
# Reset of the chilled water [1] 5.20.5.2. The building is one request, so none is ignored; its pressure cannot be set,
# so all of the reset is temperature.
_RESET_DELAY_S, _RESET_EVERY_S, _TRIM, _RESPOND = 900.0, 300.0, 0.02, 0.03
_COLDEST, _WARMEST = 7.0, 9.0
"""[degC] Warmer, coils would not dry the air of a hot and humid city."""
# Chilled water pump [1] 5.20.6.17.
_SURPLUS, _LEAST_SPEED, _PUMP_GAIN = 0.05, 0.4, 0.005  # share of the flow, of the speed; [1/s]
# Tower [1] 5.20.12.2, its two speeds by a thermostat that waits for the water to come round.
_LEAST_LIFT, _DESIGN_RETURN = 12.0, 37.0  # [K], [degC] of condenser water at the design
_FAN_BAND_K, _FAN_HOLD_S = 1.0, 300.0
# Garage: the rush of working days by the clock; else the lanes' 50 lx and a tenth more, of 140 lx  [3].
_RUSH = ((7.0 * 3600.0, 9.5 * 3600.0), (16.5 * 3600.0, 20.0 * 3600.0))
_OFF_PEAK_BRIGHTNESS = 0.4
_FACADE_FROM, _FACADE_OFF = 12.0 * 3600.0, 22.5 * 3600.0
_OFFICE_HOURS = WeekTimer(working_day=(7.5, 18.5), saturday=(8.0, 17.0), sunday=(0.0, 0.0))
_LONG_AGO_S = 1e9


class CompetentState(NamedTuple):
    """enabled: the plant, and since when [s]; idle_s: for how long nobody has asked for cold; asks, asks_colder: the
    coils' requests; reset of the plant [0..1], time until it is looked at next [s]; speed of the chilled water pump
    [0..1]; fan_s: since its stage changed [s].
    """

    enabled: bool = False
    since_s: float = _LONG_AGO_S
    idle_s: float = 0.0
    asks: bool = False
    asks_colder: bool = False
    reset: float = 1.0
    reset_in_s: float = _RESET_DELAY_S
    speed: float = _LEAST_SPEED
    fan_s: float = _LONG_AGO_S


class Competent:
    """The sequences of the plant, timed lamps in garage and office, a twilight switch outdoors."""

    def initial(self) -> CompetentState:
        """Off."""
        return CompetentState()

    def plant(self, state: CompetentState, seen: PlantSeen, dt: float) -> tuple[CompetentState, PlantCommands]:
        """What the sequences command after dt [s]."""
        state = _reset(_enabled(_asked(state, seen), seen, dt), dt)
        setpoint = _WARMEST - (_WARMEST - _COLDEST) * state.reset
        state = state._replace(speed=_speed(state, seen, dt), fan_s=state.fan_s + dt)
        fan = _fan(state, seen, setpoint)
        if fan is not seen.fan:
            state = state._replace(fan_s=0.0)
        wishes = plant_wishes(
            timer=state.enabled,
            chiller_calls=seen.chiller_calls,
            overrun=seen.overrun,
            condenser_pump_runs=seen.condenser_pump_runs,
            chilled_water_pump_runs=seen.chilled_water_pump_runs,
        )
        return state, PlantCommands(*wishes, setpoint, state.speed, fan)

    def brightness(self, weekday: int, second: float) -> float:
        """Full in the rush, what the norm asks at other times [3]."""
        is_rush = weekday < 5 and any(begin <= second < end for begin, end in _RUSH)
        return 1.0 if is_rush else _OFF_PEAK_BRIGHTNESS

    def outdoor(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """The twilight switch that was there, without the timer beside it: never late, and no longer than it is dark
        [4].
        """
        del second
        return is_dark(daylight(), was_on)

    def facade(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """From nightfall to half past ten [5]."""
        return _FACADE_FROM <= second < _FACADE_OFF and is_dark(daylight(), was_on)

    def office(self, weekday: int, second: float) -> bool:
        """In office hours; whoever stays has a switch [6]."""
        return _OFFICE_HOURS.is_on(weekday, second)


def _asked(state: CompetentState, seen: PlantSeen) -> CompetentState:
    return state._replace(
        asks=seen.opening > (_NEARLY_SHUT if state.asks else _WIDE_OPEN),
        asks_colder=seen.opening > (_LESS_OPEN if state.asks_colder else _WIDE_OPEN),
    )


def _enabled(state: CompetentState, seen: PlantSeen, dt: float) -> CompetentState:
    """On while the clock says so and somebody asks for cold; a quarter of an hour at least, either way."""
    since_s = state.since_s + dt
    idle_s = 0.0 if state.asks else state.idle_s + dt
    changes = since_s >= _HELD_S
    if state.enabled and changes and (idle_s >= _IDLE_S or not seen.timer):
        return state._replace(enabled=False, since_s=0.0, idle_s=idle_s, speed=_LEAST_SPEED)
    if not state.enabled and changes and seen.timer and state.asks:
        return state._replace(enabled=True, since_s=0.0, idle_s=0.0, reset=1.0, reset_in_s=_RESET_DELAY_S)
    return state._replace(since_s=since_s, idle_s=idle_s)


def _reset(state: CompetentState, dt: float) -> CompetentState:
    """Trim and respond, while the plant runs."""
    if not state.enabled:
        return state
    left = state.reset_in_s - dt
    if left > 0.0:
        return state._replace(reset_in_s=left)
    change = _RESPOND if state.asks_colder else -_TRIM
    return state._replace(reset=max(0.0, min(1.0, state.reset + change)), reset_in_s=_RESET_EVERY_S)


def _speed(state: CompetentState, seen: PlantSeen, dt: float) -> float:
    """Integral in the surplus that goes through the decoupler."""
    if not seen.chilled_water_pump_runs:
        return state.speed
    return max(_LEAST_SPEED, min(1.0, state.speed + _PUMP_GAIN * (_SURPLUS - seen.surplus) * dt))


def _fan(state: CompetentState, seen: PlantSeen, setpoint: float) -> Fan:
    """lift = max(least, min(most, A PLR + B)), A = 1.1 (most - least), B = most - A.  Source: [1] 5.20.12.2."""
    if not seen.condenser_pump_runs:
        return Fan.OFF
    if state.fan_s < _FAN_HOLD_S:
        return seen.fan
    most = _DESIGN_RETURN - _COLDEST
    slope = 1.1 * (most - _LEAST_LIFT)
    target = setpoint + max(_LEAST_LIFT, min(most, slope * seen.load + most - slope))
    if seen.condenser_return > target + _FAN_BAND_K:
        return Fan(min(Fan.HIGH, seen.fan + 1))
    if seen.condenser_return < target - _FAN_BAND_K:
        return Fan(max(Fan.OFF, seen.fan - 1))
    return seen.fan
