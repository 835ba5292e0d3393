"""A/B days of site.yaml: systems that are their original controls' and ours by turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from controller.core.ab_days import ABDays, EqualTank
from controller.core.point import PointId, PointKind
from controller.core.site import Mount
from controller.core.strategy import Mode
from controller.core.system import System
from controller.core.units import Unit
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import ABDaysEntry, EqualTankEntry, SiteFile, SystemEntry
from controller.settings.section import SectionCompiler

_LEVELS = frozenset({Unit.KILOWATT_HOUR, Unit.CELSIUS})
_PLACE: Where = ("ab_days",)


@dataclass
class ABDaysCompiler(SectionCompiler[SiteFile]):
    """mounts: None where strategies.yaml cannot be read: nothing is said of what it lacks."""

    systems: Sequence[System]
    mounts: Sequence[Mount] | None

    def compiled(self) -> ABDays | None:
        if self.reading.document.get(_PLACE) is None:
            return None
        entry = self.reading.piece(_PLACE, ABDaysEntry)
        if entry is None:
            return None
        for index, system in enumerate(entry.systems):
            self._check_system(system, entry.systems.index(system) != index, (*_PLACE, "systems", index))
        tank = None if entry.tank is None else self._tank(entry.tank)
        hour, minute = entry.at.split(":")
        return ABDays(entry.systems, entry.block, entry.begins, time(int(hour), int(minute)), tank)

    def _check_system(self, name: str, is_named_before: bool, where: Where) -> None:
        known = {system.id: system for system in self.systems}
        if name not in known:
            # A system that does not compile is told by itself.
            if all(self.reading.piece(each, SystemEntry) is not None for each in self.reading.items(("systems",))):
                self._add(where, f"there is no system '{name}'", nearest(name, known, "systems"))
        elif is_named_before:
            self._add(where, f"'{name}' is named twice", "name it once")
        elif self.mounts is not None and not self._is_ours_in_auto(known[name]):
            wrong = f"no strategy in auto commands system '{name}': its days would all be the same"
            self._add(where, wrong, "write mode: auto for one of its strategies, or take the system off the list")

    def _is_ours_in_auto(self, system: System) -> bool:
        commanded = {
            each.roles[role]
            for each in self.mounts or ()
            if each.mode is Mode.AUTO
            for role in each.strategy.outputs
            if role in each.roles
        }
        return not commanded.isdisjoint(system.points)

    def _tank(self, entry: EqualTankEntry) -> EqualTank:
        self._check_level(entry.point, (*_PLACE, "tank", "point"))
        return EqualTank(PointId(entry.point), entry.equal_within, entry.wait)

    def _check_level(self, name: str, where: Where) -> None:
        point = self.plant.points.get(PointId(name))
        fitting = [id_ for id_, each in self.plant.points.items() if each.unit in _LEVELS]
        right = "name what the tank holds: its stored energy (kWh) or a temperature (degC)"
        if point is None:
            if not self.plant.is_excused(name):
                self._add(where, f"there is no point '{name}'", nearest(name, fitting, "energies and temperatures"))
        elif point.unit not in _LEVELS:
            self._add(where, f"'{name}' is neither an energy nor a temperature", right)
        elif point.kind is not PointKind.SENSOR:
            self._add(where, f"'{name}' is not measured in a tank: its kind is {point.kind}", right)
