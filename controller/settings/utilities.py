"""Gas and water of site.yaml: what a cubic metre costs, and what burning the gas emits."""

from __future__ import annotations

from dataclasses import dataclass

from controller.core.utilities import NATURAL_GAS_CARBON, Gas, Stated, Water
from controller.settings.problems import Problems
from controller.settings.reading import Reading
from controller.settings.schema.site import GasEntry, SiteFile, VolumePriceEntry, WaterEntry


@dataclass(frozen=True, slots=True)
class UtilitiesCompiler:
    reading: Reading[SiteFile]
    problems: Problems

    def gas(self) -> Gas | None:
        """None where the site says nothing of it, or something wrong."""
        if self._without_currency("gas"):
            return None
        entry = self.reading.piece(("gas",), GasEntry)
        if entry is None:
            return None
        heat, factor = entry.heating_value, entry.carbon_factor
        carbon = NATURAL_GAS_CARBON if factor is None else Stated(factor.kg_per_gj, factor.source)
        return Gas(_price(entry.price), Stated(heat.mj_per_m3, heat.source), carbon)

    def water(self) -> Water | None:
        """None where the site says nothing of it, or something wrong."""
        if self._without_currency("water"):
            return None
        entry = self.reading.piece(("water",), WaterEntry)
        return None if entry is None else Water(_price(entry.price))

    def _without_currency(self, key: str) -> bool:
        """Whether there is nothing to compile; a price is in the tariff's currency, so there must be a tariff."""
        document = self.reading.document
        if document.get((key,)) is None:
            return True
        if document.get(("tariff",)) is not None:
            return False
        wrong = f"'{key}' has a price, and no tariff says its currency"
        self.problems.add(document.file, document.line((key,)), wrong, f"add 'tariff', or remove '{key}'")
        return True


def _price(entry: VolumePriceEntry) -> Stated:
    return Stated(entry.per_m3, entry.source)
