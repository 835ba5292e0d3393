"""The old controls of the high-rise's plant, as its first automation left them: what every comparison is made against.

FROZEN: see docs/plant-models.md, "Its old controls", for the commit. They are not touched once comparisons have
begun; whoever must change them names a new commit there and makes every comparison anew.

- A week timer starts and stops the plant. Chilled water leaves at 7 degC, always.
- The two large chillers lead, the small one is the last: the order of their installation. One more when the supply has
  stayed 1 K too warm for a quarter of an hour, one less when the others could have carried the load for half an hour
  with a fifth in hand [1]. A machine that has tripped gives what it gives: nothing, and the next one comes.
- Each chiller has its primary and its condenser pump, and a secondary pump is added with it; all at full speed [2].
- As many tower cells as chillers, their fans at full speed, off below a basin of 24 degC, on again above 26 degC [3].
- The storage has been retired: its valves stay shut. Nothing cools freely.

References
----------
[1] ASHRAE Handbook - HVAC Applications (2019), chapter 43 "Supervisory control strategies and optimization", sequencing
    of chillers: conventional practice adds one when the set temperature is no longer held, and drops one when the
    remaining ones can carry the load.
[2] T. Hartman, "All-variable speed centrifugal chiller plants", ASHRAE Journal 43(9), 2001: what conventional plants
    of constant-speed pumps and towers look like, and how far they stay behind.
[3] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40 "Cooling towers": fans cycled by a basin thermostat.
"""

from dataclasses import dataclass
from typing import NamedTuple

from controller.core.physics import water_heat
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.sequence import enabled, header_valves, held, pumps
from simulator.cooling_plant.signals import Commands, Seen, Shares, at_rest
from simulator.plant.chiller_control import Mode

SETPOINT = 7.0
"""Leaving chilled water [degC]."""
_TOO_WARM_K, _ADD_AFTER_S = 1.0, 900.0
_REMAINING_LOAD, _DROP_AFTER_S = 0.8, 1800.0
_SETTLED = (Mode.RUNNING, Mode.TRIPPED)
_FANS_OFF_BELOW, _FANS_ON_ABOVE = 24.0, 26.0


class OriginalState(NamedTuple):
    """stage: chillers wanted; for how long the supply has been too warm and the load small [s]; overruns of the
    machines [s]; fans: whether the thermostat has them on.
    """

    stage: int = 0
    warm_s: float = 0.0
    small_s: float = 0.0
    overruns: Shares = ()
    fans: bool = True


@dataclass(frozen=True, slots=True)
class Original:
    """The panel of a plant."""

    plant: CoolingPlant

    def initial(self) -> OriginalState:
        """Off."""
        return OriginalState()

    def decide(self, state: OriginalState, seen: Seen, dt: float) -> tuple[OriginalState, Commands]:
        """What the panel does after dt [s]."""
        plant = self.plant
        stage, warm_s, small_s = _staged(plant, state, seen, dt)
        count = len(plant.chillers)
        wanted = [number < stage for number in range(count)]
        machines, left = held(wanted, seen, state.overruns or (0.0,) * count, dt)
        valves = header_valves(plant, machines)
        at, rest = seen.actuators, at_rest(plant)
        running = pumps(plant, at)
        open_cells = min(plant.cells, sum(machines))
        secondary = min(len(plant.secondary.pumps), sum(machines)) if seen.timer else 0
        fans = seen.condenser_supply >= (_FANS_OFF_BELOW if state.fans else _FANS_ON_ABOVE)
        actuators = rest._replace(
            chilled_valves=valves,
            condenser_valves=valves,
            cell_valves=_first(open_cells, plant.cells),
            primary=running,
            condenser=running,
            secondary=_first(secondary, len(plant.secondary.pumps)),
            fans=_first(open_cells, plant.cells) if fans and any(at.condenser) else rest.fans,
        )
        return OriginalState(stage, warm_s, small_s, left, fans), Commands(
            enabled(wanted, at), (SETPOINT,) * count, actuators
        )


def _staged(plant: CoolingPlant, state: OriginalState, seen: Seen, dt: float) -> tuple[int, float, float]:
    if not seen.timer:
        return 0, 0.0, 0.0
    stage = max(1, state.stage)
    capacities = [chiller.unit.machine.capacity for chiller in plant.chillers]
    load = water_heat(seen.flow, seen.returning - seen.supply)
    warm = seen.supply > SETPOINT + _TOO_WARM_K and seen.modes[stage - 1] in _SETTLED
    small = stage > 1 and load < _REMAINING_LOAD * sum(capacities[: stage - 1]) and not warm
    warm_s = state.warm_s + dt if warm else 0.0
    small_s = state.small_s + dt if small else 0.0
    if warm_s >= _ADD_AFTER_S and stage < len(capacities):
        return stage + 1, 0.0, 0.0
    if small_s >= _DROP_AFTER_S:
        return stage - 1, 0.0, 0.0
    return stage, warm_s, small_s


def _first(number: int, of: int) -> Shares:
    return (1.0,) * number + (0.0,) * (of - number)
