"""`equipment` and `maintenance` of site.yaml: limits of starts and runs, clean dates, what is to be done how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.core.equipment_log import CleanPeriod, EquipmentLogging, logged_equipment
from controller.core.maintenance import MaintenanceTask
from controller.core.short_cycling import LIMITS_BY_CLASS, CyclingLimits
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import EquipmentLogEntry, MaintenanceEntry, SiteFile
from controller.settings.section import SectionCompiler


@dataclass
class EquipmentLogCompiler(SectionCompiler[SiteFile]):
    _named: dict[tuple[str, ...], Where] = field(default_factory=dict[tuple[str, ...], Where])

    def compiled(self) -> EquipmentLogging:
        limits: dict[str, CyclingLimits] = {}
        clean: dict[str, CleanPeriod] = {}
        for where in self.reading.items(("equipment",)):
            entry = self.reading.piece(where, EquipmentLogEntry)
            if entry is None:
                continue
            self._logged(entry.id, (*where, "id"))
            self._once((entry.id,), where, f"'{entry.id}'")
            said = self._limits(entry, where)
            if said is not None:
                limits[entry.id] = said
            period = self._clean(entry, where)
            if period is not None:
                clean[entry.id] = period
        return EquipmentLogging(self._tasks(), limits, clean)

    def _tasks(self) -> tuple[MaintenanceTask, ...]:
        tasks: list[MaintenanceTask] = []
        for where in self.reading.items(("maintenance",)):
            entry = self.reading.piece(where, MaintenanceEntry)
            if entry is None:
                continue
            self._logged(entry.equipment, (*where, "equipment"))
            self._once((entry.equipment, entry.what), where, f"'{entry.what}' of {entry.equipment}")
            if entry.every_run_hours is None and entry.every_days is None:
                self._add(where, f"'{entry.what}' has no interval", "add every_run_hours or every_days, or both")
            tasks.append(MaintenanceTask(entry.equipment, entry.what, entry.every_run_hours, entry.every_days))
        return tuple(tasks)

    def _limits(self, entry: EquipmentLogEntry, where: Where) -> CyclingLimits | None:
        """What is said, completed by the class; None where nothing is."""
        if entry.starts_per_hour is None and entry.shortest_run is None:
            return None
        its_class = self.plant.equipment.get(entry.id, "")
        default = LIMITS_BY_CLASS.get(its_class)
        starts, shortest = entry.starts_per_hour, entry.shortest_run
        if default is not None:
            starts = default.starts_per_hour if starts is None else starts
            shortest = default.shortest_run if shortest is None else shortest
        if starts is not None and shortest is not None:
            return CyclingLimits(starts, shortest)
        if its_class:
            wrong = f"a {its_class} has no limits of its own that could stand for the one that is left out"
            self._add(where, wrong, "write both starts_per_hour and shortest_run")
        return None

    def _clean(self, entry: EquipmentLogEntry, where: Where) -> CleanPeriod | None:
        first, last = entry.clean_from, entry.clean_until
        if first is None and last is None:
            return None
        its_class = self.plant.equipment.get(entry.id, "")
        if its_class and its_class != "chiller":
            place = (*where, "clean_until" if first is None else "clean_from")
            self._add(place, f"'{entry.id}' is a {its_class}; only chillers have a clean baseline", "remove it")
        elif first is None or last is None:
            missing = "clean_from" if first is None else "clean_until"
            self._add(where, f"the clean dates have no '{missing}'", "write both, each a date like 2026-05-01")
        elif last < first:
            self._add((*where, "clean_until"), "the clean dates end before they begin", f"a date from {first} on")
        else:
            return CleanPeriod(first, last)
        return None

    def _logged(self, equipment: str, where: Where) -> None:
        """Tell what is not there, or never shows whether it runs."""
        logged = logged_equipment(self.plant.equipment, self.plant.points)
        if equipment in logged or self.plant.is_excused(equipment):
            return
        if equipment in self.plant.equipment:
            wrong = f"nothing tells whether '{equipment}' runs"
            self._add(where, wrong, "name equipment with a running status, or add that point to its template")
        else:
            wrong = f"there is no equipment '{equipment}' in devices.yaml"
            self._add(where, wrong, nearest(equipment, logged, "equipment with a running status"))

    def _once(self, key: tuple[str, ...], where: Where, named: str) -> None:
        first = self._named.setdefault(key, where)
        if first != where:
            line = self.reading.document.line(first)
            self._add(where, f"{named} is there already, by line {line}", "remove one of the two")
