"""Energies of a plant since its beginning, each the exact integral of a rate that could be read; and whether they
balance.
"""

from typing import NamedTuple


class Accounts(NamedTuple):
    """All in kWh. Electricity: chillers, primary, secondary, condenser and transfer pumps, fans.

    Heat taken from chilled water: evaporators, free_cooling. Heat brought to it: coils, pump_heat (shafts of primary,
    secondary and transfer pumps), header_gain and tank_gain from the surroundings. Heat brought to condenser water:
    rejection of the condensers, free_cooling again, condenser_pump_heat; taken: tower. water: heat of what enters and
    leaves the basin by mains, evaporation, drift and blow-down, against water of 0 degC.
    """

    chillers: float = 0.0
    primary: float = 0.0
    secondary: float = 0.0
    condenser: float = 0.0
    transfer: float = 0.0
    fans: float = 0.0
    evaporators: float = 0.0
    free_cooling: float = 0.0
    coils: float = 0.0
    pump_heat: float = 0.0
    header_gain: float = 0.0
    tank_gain: float = 0.0
    rejection: float = 0.0
    condenser_pump_heat: float = 0.0
    tower: float = 0.0
    water: float = 0.0

    @property
    def electricity(self) -> float:
        """Of the whole plant [kWh]."""
        return self.chillers + self.primary + self.secondary + self.condenser + self.transfer + self.fans


class ChillerMeter(NamedTuple):
    """Of one chiller [kWh]: electricity, cold made, heat rejected."""

    energy: float = 0.0
    cooling: float = 0.0
    rejection: float = 0.0


class Stored(NamedTuple):
    """Heat against water of 0 degC [kWh] in the chilled-water headers, in the tank and in the basin."""

    headers: float
    tank: float
    basin: float


def chilled_water_error(begin: tuple[Accounts, Stored], end: tuple[Accounts, Stored]) -> float:
    """What is missing in the heat balance of the chilled water between two instants [kWh]; 0 in a plant that is one."""
    (first, held), (last, holds) = begin, end
    brought = last.coils + last.pump_heat + last.header_gain + last.tank_gain
    brought -= first.coils + first.pump_heat + first.header_gain + first.tank_gain
    taken = last.evaporators + last.free_cooling - first.evaporators - first.free_cooling
    return brought - taken - (holds.headers + holds.tank - held.headers - held.tank)


def condenser_water_error(begin: tuple[Accounts, Stored], end: tuple[Accounts, Stored]) -> float:
    """The same of the condenser water."""
    (first, held), (last, holds) = begin, end
    brought = last.rejection + last.free_cooling + last.condenser_pump_heat + last.water
    brought -= first.rejection + first.free_cooling + first.condenser_pump_heat + first.water
    return brought - (last.tower - first.tower) - (holds.basin - held.basin)


def plant_cop(begin: Accounts, end: Accounts) -> float:
    """Heat taken from the building [kWh] for a kilowatt-hour of chillers, all pumps and towers."""
    used = end.electricity - begin.electricity
    return (end.coils - begin.coils) / used if used > 0.0 else 0.0
