"""What figures come to in money and carbon, and what one side saved against another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from controller.core.tariff import Tariff
from controller.core.utilities import Gas, Water
from simulator.kpi import Figures


class Terms(NamedTuple):
    """What money and carbon are reckoned by: of electricity, gas and water what the site says, None where it does not.
    valley_price: of what stores hold more at the end than at the beginning [money per kWh]."""

    tariff: Tariff | None = None
    gas: Gas | None = None
    water: Water | None = None
    valley_price: float = 0.0


@dataclass(frozen=True, slots=True)
class Saving:
    """What somebody saved against a reference; negative where it cost more. energy: electricity [kWh]; money: for
    electricity, gas and water; carbon: of electricity and gas [kg], None without the tariff's factor."""

    energy: float
    money: float
    carbon: float | None


def gas_money(figures: Figures, terms: Terms) -> float:
    return 0.0 if terms.gas is None else figures.gas * terms.gas.price.value


def water_money(figures: Figures, terms: Terms) -> float:
    return _water_money(figures.water, terms)


def money(figures: Figures, terms: Terms) -> float:
    """For electricity, gas and water, as far as they have prices."""
    return figures.money + gas_money(figures, terms) + water_money(figures, terms)


def carbon(figures: Figures, terms: Terms) -> float | None:
    """Of electricity and gas [kg]; None without the tariff's factor."""
    return _carbon(figures.energy, figures.gas, terms)


def saving(ours: Figures, reference: Figures, terms: Terms) -> Saving:
    """Ours against the reference as both have lived, with what the stores hold more or less at the end credited.

    Cold that is in our tank and not in the reference's (or the other way round) counts as the electricity that it takes
    to make it; what is in the battery counts kWh for kWh, so that neither filling nor emptying it saves energy: both
    lose some. Money for either is that of the valley.
    """
    return _saving(ours, reference, terms, 1.0)


def saving_at_equal_cooling(ours: Figures, reference: Figures, terms: Terms) -> Saving:
    """The same with the reference's cooling plant, its electricity and its water, scaled to the cooling that we
    delivered: cold that was not needed saves nothing here, and more comfort costs nothing."""
    is_cooled = reference.cooling > 0.0 and ours.cooling > 0.0
    return _saving(ours, reference, terms, ours.cooling / reference.cooling if is_cooled else 1.0)


def _saving(ours: Figures, reference: Figures, terms: Terms, scale: float) -> Saving:
    made = (ours.stored - reference.stored) * (ours.specific_energy or reference.specific_energy)
    credit = made + ours.battery - reference.battery
    energy = reference.energy + (scale - 1.0) * reference.plant_energy - ours.energy + credit
    electricity = reference.money + (scale - 1.0) * reference.plant_money - ours.money + credit * terms.valley_price
    gas = gas_money(reference, terms) - gas_money(ours, terms)
    water = _water_money(reference.water + (scale - 1.0) * reference.plant_water - ours.water, terms)
    return Saving(energy, electricity + gas + water, _carbon(energy, reference.gas - ours.gas, terms))


def _water_money(volume: float, terms: Terms) -> float:
    return 0.0 if terms.water is None else volume * terms.water.price.value


def _carbon(electricity: float, gas: float, terms: Terms) -> float | None:
    factor = None if terms.tariff is None else terms.tariff.carbon_factor
    if factor is None:
        return None
    return electricity * factor + (0.0 if terms.gas is None else gas * terms.gas.carbon)


def valley_price(tariff: Tariff | None, day: datetime) -> float:
    """The lowest price of the local day on which `day` lies [money per kWh]; 0 without a tariff."""
    if tariff is None:
        return 0.0
    prices = [stretch.price for stretch in tariff.bands_of_day(day.astimezone(tariff.zone).date())]
    return min(prices, default=0.0)
