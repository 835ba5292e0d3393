"""Gas and water that a site buys beside its electricity: what they cost, and what burning the gas emits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

_GJ_PER_MJ = 1e-3


class Stated(NamedTuple):
    """A number, and the document that says it."""

    value: float
    source: str


NATURAL_GAS_CARBON = Stated(56.1, "IPCC 2006 Guidelines, vol. 2, ch. 2, table 2.2: natural gas, 56,100 kg CO2/TJ (net)")
"""Of natural gas [kg CO2 per GJ of its net calorific value]."""


@dataclass(frozen=True, slots=True)
class Gas:
    """price: of a cubic metre, in the tariff's currency. heating_value: net [MJ/m3]. carbon_factor: of that heat
    [kg CO2/GJ]."""

    price: Stated
    heating_value: Stated
    carbon_factor: Stated = NATURAL_GAS_CARBON

    @property
    def carbon(self) -> float:
        """Of a cubic metre [kg CO2]."""
        return self.heating_value.value * _GJ_PER_MJ * self.carbon_factor.value


@dataclass(frozen=True, slots=True)
class Water:
    """price: of a cubic metre with its sewage, in the tariff's currency."""

    price: Stated
