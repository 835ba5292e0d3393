"""Flows and pump powers of a plant for where its actuators stand.

Each water circuit is solved by itself: the bridge between the chilled-water headers has no resistance, so the primary
does not feel the secondary (`simulator.plant.primary_secondary`). What has not moved is not solved again.
"""

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

from simulator.cooling_plant.design import Branch, CoolingPlant, PumpStation, Storage
from simulator.cooling_plant.signals import Actuators, Shares
from simulator.plant.drive import drive_power
from simulator.plant.primary_secondary import split, together
from simulator.plant.pump_curve import Unit, alike, duty, shaft_power
from simulator.plant.record import record
from simulator.plant.valve import conductance, resistance, throttling_heat

_TRICKLE = 0.5
"""[kg/s]"""


class Circuit(NamedTuple):
    """flow of all pumps [kg/s]; branches: its share in each machine; electric power of the pumps, and what of it ends
    as heat in the water [kW].
    """

    flow: float = 0.0
    branches: Shares = ()
    electric: float = 0.0
    to_water: float = 0.0


class Mains(NamedTuple):
    """flow to the building [kg/s]; pressure across its coils [kPa]; electric power of the secondary pumps, and heat in
    the water [kW].
    """

    flow: float = 0.0
    pressure: float = 0.0
    electric: float = 0.0
    to_water: float = 0.0


class Exchange(NamedTuple):
    """Of the storage. upward: cold water enters the tank's bottom from the supply header and as much warm water leaves
    its top for the return header, negative the other way [kg/s]; electric power of the transfer pumps [kW]; lifting:
    heat in the water that leaves the tank, throttling: in the water that enters it [kW].
    """

    upward: float = 0.0
    electric: float = 0.0
    lifting: float = 0.0
    throttling: float = 0.0


class Flows(NamedTuple):
    """All circuits. demand: conductance of the coils for which the mains were solved."""

    primary: Circuit
    condenser: Circuit
    mains: Mains
    storage: Exchange
    demand: float

    @property
    def bridge(self) -> float:
        """From the supply to the return header [kg/s]; negative where return water mixes into the supply."""
        return self.primary.flow - self.mains.flow - self.storage.upward


def still(plant: CoolingPlant) -> Flows:
    """Nothing flows."""
    none = Circuit(0.0, (0.0,) * plant.branches)
    return Flows(none, none, Mains(), Exchange(), 0.0)


def solved(
    plant: CoolingPlant, known: Flows, before: Actuators, at: Actuators, demand: float, sustaining: tuple[float, float]
) -> Flows:
    """The same, from known flows at actuators before; sustaining: before and now."""
    primary, condenser, mains, storage, known_demand = known
    if at is not before:
        if at.primary is not before.primary or at.chilled_valves is not before.chilled_valves:
            primary = _primary(plant, at)
        if (
            at.condenser is not before.condenser
            or at.condenser_valves is not before.condenser_valves
            or at.cell_valves is not before.cell_valves
        ):
            condenser = _condenser(plant, at)
    elif demand == known_demand and sustaining[0] == sustaining[1]:
        return known
    if demand != known_demand or at.secondary is not before.secondary:
        mains = _mains(plant, at, demand)
    if at.transfer is not before.transfer or at.storage is not before.storage or sustaining[0] != sustaining[1]:
        storage = _storage(plant, at, sustaining[1])
    return record(Flows, (primary, condenser, mains, storage, demand))


def sustaining_target(storage: Storage, at: Actuators) -> float:
    """Position [0..1] at which the pressure-sustaining valve passes what the transfer pumps lift: beyond, the system's
    pressure rises and opens it further, below, it falls and shuts it.
    """
    wanted = _transferred(storage, at)
    return min(1.0, wanted / (conductance(storage.sustaining, 1.0) * sqrt(storage.transfer.static)))


def _primary(plant: CoolingPlant, at: Actuators) -> Circuit:
    return _circuit(plant.primary, at.primary, _conductances(plant.evaporators, at.chilled_valves), 0.0)


def _condenser(plant: CoolingPlant, at: Actuators) -> Circuit:
    cells = together([conductance(plant.cell_valve, position) for position in at.cell_valves])
    return _circuit(plant.condenser, at.condenser, _conductances(plant.condensers, at.condenser_valves), cells)


def _conductances(branches: Sequence[Branch], positions: Shares) -> list[float]:
    return [
        1.0 / sqrt(resistance((branch.conductance, conductance(branch.valve, position)))) if position > 0.0 else 0.0
        for branch, position in zip(branches, positions, strict=True)
    ]


def _circuit(station: PumpStation, speeds: Shares, conductances: list[float], beyond: float) -> Circuit:
    if not any(speeds):
        return Circuit(0.0, (0.0,) * len(conductances))
    flow, electric, to_water, _ = _station(station, speeds, station.resistance + together(conductances) + beyond)
    return Circuit(flow, split(flow, conductances), electric, to_water)


def _station(station: PumpStation, speeds: Shares, resistance: float) -> tuple[float, float, float, float]:
    """Flow [kg/s], electric power and heat in the water [kW], and pressure between the headers [kPa] of a station. A
    trickle past valves that are all but shut counts as no flow: it would come out as hot as a kettle.
    """
    running = [speed for speed in speeds if speed > 0.0]
    count = len(running)
    if station.are_alike and resistance < inf and running.count(running[0]) == count:
        unit = Unit(station.pumps[0], running[0])
        pressure, each = alike(unit, count, static=station.static, resistance=resistance)
        one, _, shaft, motor_loss, converter_loss = each
        flow, electric, to_water = count * one, count * (shaft + motor_loss + converter_loss), count * shaft
    else:
        units = [Unit(curve, speed) for curve, speed in zip(station.pumps, speeds, strict=True) if speed > 0.0]
        done = duty(units, static=station.static, resistance=resistance)
        flow, electric, to_water, pressure = done.flow, done.electric, done.to_water, done.pressure
    return flow if flow >= _TRICKLE else 0.0, electric, to_water, pressure


def _mains(plant: CoolingPlant, at: Actuators, demand: float) -> Mains:
    if not any(at.secondary):
        return Mains()
    station = plant.secondary
    coils = together((demand,))
    flow, electric, to_water, pressure = _station(station, at.secondary, station.resistance + coils)
    return record(Mains, (flow, coils * flow * flow if flow > 0.0 else pressure, electric, to_water))


def _transferred(storage: Storage, at: Actuators) -> float:
    """What the transfer pumps would lift [kg/s] with the pressure-sustaining valve as open as they need it."""
    if not any(at.transfer) or not any(at.storage):
        return 0.0
    station = storage.transfer
    valves = together([conductance(storage.isolation, position) for position in at.storage])
    return _station(station, at.transfer, station.resistance + valves)[0]


def _storage(plant: CoolingPlant, at: Actuators, sustaining: float) -> Exchange:
    """The lower of what the pumps lift and what the pressure-sustaining valve lets go: the system neither fills nor
    empties. With both directions open the water divides, and what is over goes round.
    """
    storage = plant.storage
    if storage is None or not any(at.transfer):
        return Exchange()
    static = storage.transfer.static
    flow = min(_transferred(storage, at), conductance(storage.sustaining, sustaining) * sqrt(static))
    running = [(curve, speed) for curve, speed in zip(storage.transfer.pumps, at.transfer, strict=True) if speed > 0.0]
    shaft = electric = 0.0
    for curve, speed in running:
        one = shaft_power(curve, flow / len(running), speed)
        shaft += one
        electric += drive_power(curve.drive, one).electric
    charge, discharge = at.storage
    net = (charge - discharge) / (charge + discharge) if charge + discharge > 0.0 else 0.0
    throttling = throttling_heat(flow, static)
    return Exchange(flow * net, electric, shaft - throttling, throttling)
