"""How actuators get to where they are told: drives by their ramps, valves by their strokes; what is stuck stays."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from simulator.cooling_plant.design import Branch, CoolingPlant
from simulator.cooling_plant.signals import Actuators, Shares
from simulator.plant.pump import moved
from simulator.plant.record import record
from simulator.plant.valve import ValveModel
from simulator.plant.valve import step as valve_step


def approach(
    plant: CoolingPlant, now: Actuators, target: Actuators, stuck: AbstractSet[tuple[str, int]], dt: float
) -> Actuators:
    """The actuators after dt [s] on their way; stuck: (field of `Actuators`, number) of what does not move. What stands
    where it should stays the same object, so that whoever depends on it knows that nothing has changed.
    """
    if now == target:
        return now
    valves, storage = now[:4], plant.storage
    if valves != target[:4]:
        valves = _valves(plant, now, target, dt)
    after = record(
        Actuators,
        (
            *valves,
            _ramped(now.primary, target.primary, plant.primary.travel * dt),
            _ramped(now.secondary, target.secondary, plant.secondary.travel * dt),
            _ramped(now.condenser, target.condenser, plant.condenser.travel * dt),
            _ramped(now.transfer, target.transfer, storage.transfer.travel * dt) if storage else (),
            _ramped(now.fans, target.fans, plant.fan_travel * dt),
        ),
    )
    for field, number in stuck:
        before: Shares = getattr(now, field)
        moved_on: Shares = getattr(after, field)
        held = (*moved_on[:number], before[number], *moved_on[number + 1 :])
        after = after._replace(**{field: before if held == before else held})
    return after


def _valves(plant: CoolingPlant, now: Actuators, target: Actuators, dt: float) -> tuple[Shares, Shares, Shares, Shares]:
    """Of both pairs of headers, of the cells, of the storage: the first four of the actuators."""
    storage = plant.storage
    return (
        _header_valves(plant.evaporators, now.chilled_valves, target.chilled_valves, dt),
        _header_valves(plant.condensers, now.condenser_valves, target.condenser_valves, dt),
        _stroked(plant.cell_valve, now.cell_valves, target.cell_valves, dt),
        _stroked(storage.isolation, now.storage, target.storage, dt) if storage else (),
    )


def _header_valves(branches: Sequence[Branch], now: Shares, target: Shares, dt: float) -> Shares:
    if now == target:
        return now
    ways = zip(branches, now, target, strict=True)
    return tuple([valve_step(branch.valve, here, there, dt) for branch, here, there in ways])


def _stroked(valve: ValveModel, now: Shares, target: Shares, dt: float) -> Shares:
    """Valves alike."""
    if now == target:
        return now
    return tuple([valve_step(valve, here, there, dt) for here, there in zip(now, target, strict=True)])


def _ramped(now: Shares, target: Shares, most: float) -> Shares:
    if now == target:
        return now
    return tuple([moved(here, target[number], most) for number, here in enumerate(now)])
