"""What happens to a plant between two steps: an actuator is moved by hand, the mains fail, a broken diffuser mixes."""

from math import exp

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.flows import solved
from simulator.cooling_plant.signals import Actuators, Shares, at_rest
from simulator.cooling_plant.state import PlantState
from simulator.plant.chiller import STOPPED
from simulator.plant.chiller_control import unpowered
from simulator.plant.drive import AT_REST
from simulator.plant.tank import stirred


def placed(plant: CoolingPlant, state: PlantState, field: str, number: int, position: float) -> PlantState:
    """With an actuator, by its field of `Actuators` and its number, standing elsewhere [0..1]."""
    there: Shares = getattr(state.actuators, field)
    after = (*there[:number], position, *there[number + 1 :])
    return _moved(plant, state, state.actuators._replace(**{field: after}))


def without_mains(plant: CoolingPlant, state: PlantState) -> PlantState:
    """With motors and machines stopped; valves stay where they are."""
    stopped = _moved(plant, state, _stopped(plant, state.actuators))
    chillers = tuple([each._replace(control=unpowered(each.control), operation=STOPPED) for each in stopped.chillers])
    rates = stopped.rates._replace(
        cooling=0.0, power=0.0, rejection=0.0, free_cooling=0.0, tower=0.0, fans=AT_REST, air_flow=0.0
    )
    return stopped._replace(target=_stopped(plant, state.target), chillers=chillers, rates=rates)


def _stopped(plant: CoolingPlant, at: Actuators) -> Actuators:
    """Every motor but those of the valves."""
    rest = at_rest(plant)
    return at._replace(
        primary=rest.primary,
        secondary=rest.secondary,
        condenser=rest.condenser,
        transfer=rest.transfer,
        fans=rest.fans,
    )


def mixing(state: PlantState, within: float, dt: float) -> PlantState:
    """With the tank's layers closer together after dt [s]: within [s] they lose all but 37 % of their differences."""
    if state.tank is None:
        return state
    return state._replace(tank=stirred(state.tank, 1.0 - exp(-dt / within)))


def _moved(plant: CoolingPlant, state: PlantState, actuators: Actuators) -> PlantState:
    """The flows are at once those of where the actuators stand."""
    rates, sustaining = state.rates, (state.sustaining, state.sustaining)
    flows = solved(plant, rates.flows, state.actuators, actuators, rates.flows.demand, sustaining)
    return state._replace(actuators=actuators, rates=rates._replace(flows=flows))
