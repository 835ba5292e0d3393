"""What commands the demonstration site's machines and lamps where no supervisor does, and what its panels see."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from simulator.plant.tower import Fan

S = TypeVar("S")


class Baseline(StrEnum):
    """Whose controls a simulated building has of its own: those that were found, or those of a competent contractor."""

    ORIGINAL = "original"
    COMPETENT = "competent"


class PlantSeen(NamedTuple):
    """timer: the clock says that the building is in use. chiller_calls: the chiller runs or asks for its pumps, whoever
    enabled it; overrun: the time after that is not over; whether both pumps run; fan: of the tower, as it runs.

    basin: its water; condenser_return: water on its way to the tower [degC]. opening: of the coils' valves beyond what
    always flows [0..1]; surplus: of the primary over the secondary flow, as a share of the pump's; load: of the
    chiller, as a share of its capacity.
    """

    timer: bool
    chiller_calls: bool
    overrun: bool
    condenser_pump_runs: bool
    chilled_water_pump_runs: bool
    fan: Fan
    basin: float
    condenser_return: float
    opening: float
    surplus: float
    load: float


class PlantCommands(NamedTuple):
    """Which machines are to run; setpoint of the chilled water [degC]; speed of its pump [0..1]; stage of the fan."""

    condenser_pump: bool
    chilled_water_pump: bool
    chiller: bool
    setpoint: float
    speed: float
    fan: Fan


class OwnControls(Protocol[S]):
    """Pure: what the plant's controls remember is in S."""

    def initial(self) -> S:
        """Before they have seen anything."""
        ...

    def plant(self, state: S, seen: PlantSeen, dt: float) -> tuple[S, PlantCommands]:
        """What they command dt [s] after the last time; the tank's valves stay shut."""
        ...

    def brightness(self, weekday: int, second: float) -> float:
        """Of the garage's lamps [0..1] at a second of the local day; weekday: 0 = Monday."""
        ...

    def outdoor(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """Whether the outdoor lamps are to be on; daylight [lx] is looked at only where it matters."""
        ...

    def facade(self, second: float, daylight: Callable[[], float], *, was_on: bool) -> bool:
        """The same of the lit façade."""
        ...

    def office(self, weekday: int, second: float) -> bool:
        """Whether the lamps of the office floor are on by the clock; who sits there switches his own on besides."""
        ...
