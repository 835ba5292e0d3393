"""What the storing of chilled water is told of its tank, its machines and its tariff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, TypeAlias

from annotated_types import Ge, Gt, Le

from strategies.blocks.load_shifting import Store

Energy: TypeAlias = Annotated[float, Gt(0)]
Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Temperature: TypeAlias = Annotated[float, Ge(3), Le(15)]
Duration: TypeAlias = Annotated[timedelta, Ge(timedelta(seconds=30)), Le(timedelta(hours=1))]
Performance: TypeAlias = Annotated[float, Gt(0), Le(20)]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Energies in kWh by the tank's own meter (`stored_energy`), temperatures in °C, speeds as fraction 0..1.

    capacity: of the full tank; unusable_energy: what is left when its outlet reaches discharge_end_temperature.
    reserve: share stored beyond the forecast. least_energy: less is not worth a change of mode.
    changeover: how long before the end of a band the change back begins.
    overrun: how long the pumps run on after the chiller. run_up: how long a started chiller has made cold water before
    the tank leaves the building to it.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    capacity: Energy = 1000.0
    unusable_energy: Annotated[float, Ge(0)] = 0.0
    reserve: Annotated[float, Ge(0), Le(1)] = 0.1
    least_energy: Energy = 200.0
    charging_setpoint: Temperature = 5.0
    discharge_end_temperature: Temperature = 8.0
    charging_pump_speed: Fraction = 0.7
    least_pump_speed: Fraction = 0.4
    changeover: Duration = timedelta(minutes=10)
    pump_timeout: Duration = timedelta(minutes=2)
    valve_timeout: Duration = timedelta(minutes=3)
    chiller_timeout: Duration = timedelta(minutes=20)
    overrun: Duration = timedelta(minutes=1)
    run_up: Duration = timedelta(minutes=2)
    charging_cop: Performance = 4.5
    direct_cop: Performance = 5.5
    storage_efficiency: Fraction = 0.95

    def __post_init__(self) -> None:
        if self.unusable_energy >= self.capacity:
            raise ValueError(f"unusable_energy is {self.unusable_energy:g} kWh; it must lie below capacity")
        if self.discharge_end_temperature <= self.charging_setpoint:
            raise ValueError(
                f"discharge_end_temperature is {self.discharge_end_temperature:g} °C; "
                f"it must lie above charging_setpoint, {self.charging_setpoint:g} °C"
            )
        if self.changeover <= self.valve_timeout + self.run_up:
            raise ValueError("changeover must be longer than valve_timeout and run_up together")

    @property
    def store(self) -> Store:
        """Valley kWh cost `cost_ratio` less, or they do not pay for the colder water and the losses."""
        ratio = self.charging_cop * self.storage_efficiency / self.direct_cop
        return Store(self.capacity, self.unusable_energy, self.reserve, ratio)
