"""Computer rooms of the high-rise: each inside the building, with two split units of which one is enough.

References
----------
[1] ASHRAE, "Thermal Guidelines for Data Processing Environments" (2015): 18 to 27 degC recommended at the intake.
[2] GB 50174-2017, annex A: 18 to 27 degC in the cold aisle; one unit more than is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.plant import rc_zone, split_unit
from simulator.plant.rc_zone import RcZone, Stream, ZoneInput, ZoneState
from simulator.plant.split_unit import SplitInput, SplitModel, SplitOutput, SplitState

_STILL = Stream(0.0, 24.0, 0.008, 420.0)
# Wet bulb of room air of 7 g/kg, with coils that do not dry it: from 18 to 30 degC a line within 0.1 K of
# physics.wet_bulb.
_WET_BULB_AT_24, _WET_BULB_SLOPE = 15.0, 0.373


@dataclass(frozen=True, slots=True)
class ComputerRoom:
    """zone with its racks; neighbours: temperature around it [degC]; computers: at full load [kW]; unit: one of two."""

    zone: RcZone
    neighbours: float
    computers: float
    unit: SplitModel


class RoomState(NamedTuple):
    """zone; its two units."""

    zone: ZoneState
    units: tuple[SplitState, SplitState]


class UnitCommands(NamedTuple):
    """enable: not switched off; on_above, off_below: its thermostat [degC]."""

    enable: bool
    on_above: float
    off_below: float


class RoomOutput(NamedTuple):
    """Mean of a step [kW]: computers, envelope (gained from the neighbours), cooling; electric power of both units;
    each unit by itself.
    """

    computers: float
    envelope: float
    cooling: float
    electric: float
    units: tuple[SplitOutput, SplitOutput]


def two_rooms() -> tuple[ComputerRoom, ...]:
    """80 m2 each with 15 kW of computers, and units of which one holds the room at 35 degC outdoors."""
    racks = 1500.0  # [kJ/K], 3 t of steel
    zone = RcZone(80.0, 3.0, 0.08, 0.0, 165.0 * 80.0, 2.5 * 80.0, 10.0 * 80.0 + racks)
    return (ComputerRoom(zone, 25.0, 15.0, SplitModel(18.0, 3.0, 0.5)),) * 2


def resting(room: ComputerRoom, temperature: float = 23.0) -> RoomState:
    """At a temperature [degC] with both units off."""
    return RoomState(ZoneState(temperature, room.neighbours, 0.007), (SplitState(), SplitState()))


def step(
    room: ComputerRoom, state: RoomState, commands: Sequence[UnitCommands], outdoor: float, load: float, dt: float
) -> tuple[RoomState, RoomOutput]:
    """The room after dt [s] at an outdoor temperature [degC] and a load [0..1] of its computers. Heat closes: what the
    room has stored = computers + envelope - cooling; each unit's by split_unit.
    """
    air = state.zone.air
    wet_bulb = _WET_BULB_AT_24 + _WET_BULB_SLOPE * (air - 24.0)
    first, second = [
        split_unit.step(room.unit, unit, SplitInput(each.enable, air, wet_bulb, outdoor, each[1], each[2]), dt)
        for unit, each in zip(state.units, commands, strict=True)
    ]
    cooling = first[1].cooling + second[1].cooling
    computers = load * room.computers
    # Fans blow through the racks: all heat reaches the air.
    given = ZoneInput(room.neighbours, _STILL, _STILL, 0.0, 0.0, 0.0, computers - cooling)
    zone, gained = rc_zone.step(room.zone, state.zone, given, dt)
    output = RoomOutput(computers, gained.envelope, cooling, first[1].power + second[1].power, (first[1], second[1]))
    return RoomState(zone, (first[0], second[0])), output
