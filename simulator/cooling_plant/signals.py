"""What a plant's controls command, and what their instruments show."""

from functools import lru_cache
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from simulator.cooling_plant.design import CoolingPlant
from simulator.plant.chiller_control import Mode

S = TypeVar("S")
Shares: TypeAlias = tuple[float, ...]
"""Positions of valves or speeds of drives [0..1]."""


class Actuators(NamedTuple):
    """Where everything that moves stands, or is to go. Header valves: the chillers in their order, then the exchanger;
    cell_valves and fans: the cells; storage: charge and discharge valve; transfer: the storage's pumps.
    """

    chilled_valves: Shares
    condenser_valves: Shares
    cell_valves: Shares
    storage: Shares
    primary: Shares
    secondary: Shares
    condenser: Shares
    transfer: Shares
    fans: Shares


class Commands(NamedTuple):
    """enable of each chiller; setpoints of their leaving water [degC]; where the actuators are to go."""

    enable: tuple[bool, ...]
    setpoints: tuple[float, ...]
    actuators: Actuators


class Seen(NamedTuple):
    """What a control panel sees.

    Temperatures by sensors that lag [degC]: supply header, return from the building, condenser water from the basin and
    back to the towers; flow to the building [kg/s]; pressure across its coils [kPa]; modes and electric powers [kW] of
    the chillers; actuators as their feedback says; requests and calls of the coils; timer: the clock says that the
    building is in use; air: outdoor wet bulb [degC].
    """

    supply: float
    returning: float
    condenser_supply: float
    condenser_return: float
    flow: float
    pressure: float
    modes: tuple[Mode, ...]
    powers: tuple[float, ...]
    actuators: Actuators
    requests: int
    calls: bool
    timer: bool
    wet_bulb: float


class Controls(Protocol[S]):
    """Controls of a plant: pure."""

    def initial(self) -> S:
        """Before they have seen anything."""
        ...

    def decide(self, state: S, seen: Seen, dt: float) -> tuple[S, Commands]:
        """What they command after dt [s]."""
        ...


def at_rest(plant: CoolingPlant) -> Actuators:
    """Every valve shut, every motor off."""
    storage = plant.storage
    return _at_rest(
        plant.branches,
        plant.cells,
        len(plant.primary.pumps),
        len(plant.secondary.pumps),
        len(plant.condenser.pumps),
        len(storage.transfer.pumps) if storage else None,
    )


@lru_cache(maxsize=8)
def _at_rest(
    branches: int, cells: int, primary: int, secondary: int, condenser: int, transfer: int | None
) -> Actuators:
    """transfer: None without storage. Panels ask for it at every step."""
    return Actuators(
        (0.0,) * branches,
        (0.0,) * branches,
        (0.0,) * cells,
        () if transfer is None else (0.0, 0.0),
        (0.0,) * primary,
        (0.0,) * secondary,
        (0.0,) * condenser,
        () if transfer is None else (0.0,) * transfer,
        (0.0,) * cells,
    )
