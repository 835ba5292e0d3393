"""Split unit of a computer room: direct expansion, one speed, its own thermostat.

References
----------
[1] EnergyPlus Engineering Reference, "Single-Speed Electric DX Air Cooling Coil": capacity and energy input ratio over
    the entering wet bulb and the outdoor temperature; capacity after a start grows with a time constant, which is what
    the part-load fraction 0.85 + 0.15 PLR stands for.
[2] EnergyPlus example files, curves WindACCoolCapFT and WindACEIRFT (from DOE-2), 1 at 19.44 and 35 degC.
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from simulator.plant.chiller import biquadratic

_CAPACITY = (0.942587793, 0.009543347, 0.000683770, -0.011042676, 0.000005249, -0.000009720)  # [2]
_INPUT = (0.342414409, 0.034885008, -0.000623700, 0.004977216, 0.000437951, -0.000728028)  # [2]
WET_BULB_LIMITS = (12.78, 23.89)  # [degC]
OUTDOOR_LIMITS = (18.0, 46.11)  # [degC]


@dataclass(frozen=True, slots=True)
class SplitModel:
    """capacity [kW] and cop at 19.4 degC wet bulb inside and 35 degC outside; fan: indoor, runs on [kW]; start_s: time
    constant of the capacity after a start; least_on_s, least_off_s: of the compressor's own relay.
    """

    capacity: float
    cop: float
    fan: float
    start_s: float = 60.0
    least_on_s: float = 180.0
    least_off_s: float = 180.0


class SplitState(NamedTuple):
    """compressor: on; since_s: time in this state; warmed: share of the capacity reached [0..1]; starts."""

    compressor: bool = False
    since_s: float = 1e9
    warmed: float = 0.0
    starts: int = 0


class SplitInput(NamedTuple):
    """enable: not switched off; room and outdoor [degC], wet_bulb of the room [degC]; on_above, off_below: thermostat
    [degC].
    """

    enable: bool
    room: float
    wet_bulb: float
    outdoor: float
    on_above: float
    off_below: float


class SplitOutput(NamedTuple):
    """Mean of a step [kW]: cooling of the room, its fan's heat taken off; heat to the outdoor air; electric power."""

    cooling: float
    rejected: float
    power: float


def step(model: SplitModel, state: SplitState, seen: SplitInput, dt: float) -> tuple[SplitState, SplitOutput]:
    """The unit after dt [s]. Heat closes: rejected = cooling + power.

    Q = Q_rated capFT(wet bulb, outdoor) w, w = 1 - exp(-t / start_s) after a start; P = Q_rated capFT / COP EIRFT from
    the start on [1].

    """
    on = _wanted(model, state, seen)
    changed = on != state.compressor
    warmed = state.warmed if on and not changed else 0.0
    since = dt if changed else state.since_s + dt
    starts = state.starts + (on and changed)
    fan = model.fan if seen.enable else 0.0
    if not on:
        return SplitState(False, since, 0.0, starts), SplitOutput(-fan, 0.0, fan)
    inside = min(max(seen.wet_bulb, WET_BULB_LIMITS[0]), WET_BULB_LIMITS[1])
    outside = min(max(seen.outdoor, OUTDOOR_LIMITS[0]), OUTDOOR_LIMITS[1])
    available = model.capacity * biquadratic(_CAPACITY, inside, outside)
    compressor = available / model.cop * biquadratic(_INPUT, inside, outside)
    left = exp(-dt / model.start_s)
    mean = 1.0 - (1.0 - warmed) * (1.0 - left) * model.start_s / dt
    cooling = available * mean
    after = SplitState(True, since, 1.0 - (1.0 - warmed) * left, starts)
    return after, SplitOutput(cooling - fan, cooling + compressor, compressor + fan)


def _wanted(model: SplitModel, state: SplitState, seen: SplitInput) -> bool:
    """Thermostat behind the compressor's minimum times; switching the unit off is obeyed at once."""
    if not seen.enable:
        return False
    if state.compressor:
        return state.since_s < model.least_on_s or seen.room > seen.off_below
    return state.since_s >= model.least_off_s and seen.room > seen.on_above
