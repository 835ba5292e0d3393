"""What commands the high-rise where no supervisor does."""

from typing import Protocol

from simulator.civil import LocalTime
from simulator.high_rise.air_controls import FloorCommands, Reset
from simulator.high_rise.air_floors import Floor
from simulator.high_rise.air_side import FloorState
from simulator.high_rise.computer_rooms import UnitCommands
from simulator.high_rise.hot_water import HotWaterCommands
from simulator.high_rise.lighting import LightingCommands, LightingModel


class Controls(Protocol):
    """Pure: what they remember is in `Reset`."""

    def air(
        self, reset: Reset, floor: Floor, state: FloorState, local: LocalTime, dt: float
    ) -> tuple[Reset, FloorCommands]:
        """To the air handlers of storeys alike, dt [s] after the last time."""
        ...

    def units(self) -> tuple[UnitCommands, ...]:
        """To the two split units of a computer room."""
        ...

    def boiler(self, local: LocalTime) -> HotWaterCommands:
        """To the boiler."""
        ...

    def lamps(self, model: LightingModel, local: LocalTime, *, dark: bool) -> LightingCommands:
        """To all lamps but those of the offices; dark: lamps are needed outdoors."""
        ...
