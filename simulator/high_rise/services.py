"""All of the high-rise that is neither its air side nor its cooling plant, stepped together: computer rooms, electric
side, hot water, lamps.
"""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.high_rise import computer_rooms, electric_side, hot_water, lighting
from simulator.high_rise.computer_rooms import ComputerRoom, RoomOutput, RoomState, UnitCommands
from simulator.high_rise.electric_side import ElectricInput, ElectricOutput, ElectricState
from simulator.high_rise.hot_water import HotWaterCommands, HotWaterOutput, HotWaterState
from simulator.high_rise.lighting import LightingCommands, LightingOutput
from simulator.high_rise.model import HighRiseModel
from simulator.high_rise.names import BATTERY, BOILER, CHARGERS, COMPUTERS, DECKS, FACADE, OUTDOOR, PHOTOVOLTAICS, UNITS

_COMPUTING = 1.0
"""Share of their full load that the computers have [0..1]: servers of an office do not rest at night."""


class ServicesState(NamedTuple):
    rooms: tuple[RoomState, ...]
    electric: ElectricState
    hot_water: HotWaterState


class ServicesInput(NamedTuple):
    """outdoor and mains water [degC]; people in the building; sun, sessions, second and battery as in ElectricInput;
    commands to the units of each room, the boiler and the lamps, limits of the chargers.
    """

    outdoor: float
    mains: float
    people: float
    electric: ElectricInput
    units: Sequence[Sequence[UnitCommands]]
    boiler: HotWaterCommands
    lamps: LightingCommands


class ServicesOutput(NamedTuple):
    rooms: tuple[RoomOutput, ...]
    electric: ElectricOutput
    hot_water: HotWaterOutput
    lamps: LightingOutput


def resting(model: HighRiseModel) -> ServicesState:
    """As they are found at the beginning."""
    rooms = tuple([computer_rooms.resting(room) for room in model.rooms])
    return ServicesState(rooms, electric_side.resting(model.electric), HotWaterState())


def step(
    model: HighRiseModel, state: ServicesState, seen: ServicesInput, dt: float
) -> tuple[ServicesState, ServicesOutput]:
    """All of them after dt [s]; steps of two minutes or so."""
    rooms: list[tuple[RoomState, RoomOutput]] = []
    before: tuple[ComputerRoom, RoomState, Sequence[UnitCommands]] | None = None
    for room in zip(model.rooms, state.rooms, seen.units, strict=True):  # alike and told the same, they do the same
        rooms.append(rooms[-1] if room == before else computer_rooms.step(*room, seen.outdoor, _COMPUTING, dt))
        before = room
    electric, powers = electric_side.step(model.electric, state.electric, seen.electric, dt)
    water, drawn = hot_water.step(model.hot_water, state.hot_water, seen.boiler, seen.people, seen.mains, dt)
    after = ServicesState(tuple([room for room, _ in rooms]), electric, water)
    output = ServicesOutput(tuple([done for _, done in rooms]), powers, drawn, lighting.lit(model.lighting, seen.lamps))
    return after, output


def powers(output: ServicesOutput) -> dict[str, float]:
    """Electric power of each machine, positive when consumed [kW]."""
    found: dict[str, float] = {}
    found |= zip(COMPUTERS, [room.computers for room in output.rooms], strict=True)
    found |= zip(UNITS, [unit.power for room in output.rooms for unit in room.units], strict=True)
    found |= zip(CHARGERS, [point.power for point in output.electric.points], strict=True)
    found |= zip(DECKS, output.lamps.decks, strict=True)
    found[PHOTOVOLTAICS] = -output.electric.photovoltaics
    found[BATTERY] = output.electric.battery.power
    found[BOILER] = output.hot_water.electric
    found[OUTDOOR] = output.lamps.outdoor
    found[FACADE] = output.lamps.facade
    return found
