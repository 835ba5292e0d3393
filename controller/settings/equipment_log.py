"""`equipment` and `maintenance` of site.yaml: limits of starts and runs, and what is to be done how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.core.equipment_log import EquipmentLogging, logged_equipment
from controller.core.maintenance import MaintenanceTask
from controller.core.short_cycling import LIMITS_BY_CLASS, CyclingLimits
from controller.settings.devices import Plant
from controller.settings.document import Where
from controller.settings.problems import Problems, nearest
from controller.settings.reading import Reading
from controller.settings.schema import EquipmentLogEntry, MaintenanceEntry, SiteFile


@dataclass
class EquipmentLogCompiler:
    reading: Reading[SiteFile]
    plant: Plant
    problems: Problems
    _named: dict[tuple[str, ...], Where] = field(default_factory=dict[tuple[str, ...], Where])

    def compiled(self) -> EquipmentLogging:
        return EquipmentLogging(self._tasks(), self._limits())

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

    def _limits(self) -> Mapping[str, CyclingLimits]:
        limits: dict[str, CyclingLimits] = {}
        for where in self.reading.items(("equipment",)):
            entry = self.reading.piece(where, EquipmentLogEntry)
            if entry is None:
                continue
            self._logged(entry.id, (*where, "id"))
            self._once((entry.id,), where, f"'{entry.id}'")
            default = LIMITS_BY_CLASS.get(self.plant.equipment.get(entry.id, ""))
            starts = entry.starts_per_hour or (None if default is None else default.starts_per_hour)
            shortest = entry.shortest_run
            if shortest is None and default is not None:
                shortest = default.shortest_run
            if starts is not None and shortest is not None:
                limits[entry.id] = CyclingLimits(starts, shortest)
            elif entry.id in self.plant.equipment and (starts is not None or shortest is not None):
                its_class = self.plant.equipment[entry.id]
                wrong = f"a {its_class} has no limits of its own that could stand for the one that is left out"
                self._add(where, wrong, "write both starts_per_hour and shortest_run")
        return limits

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

    def _add(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)
