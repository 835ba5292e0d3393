"""The forecasts of site.yaml: loads whose next day is to be known, each with the weather that it follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.core.point import PointId, PointKind
from controller.core.site import ForecastTarget
from controller.core.units import Unit
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import ForecastEntry, SiteFile
from controller.settings.section import SectionCompiler


@dataclass
class ForecastsCompiler(SectionCompiler[SiteFile]):
    _named: dict[str, Where] = field(default_factory=dict[str, Where])

    def compiled(self) -> tuple[ForecastTarget, ...]:
        targets: list[ForecastTarget] = []
        for where in self.reading.items(("forecasts",)):
            entry = self.reading.piece(where, ForecastEntry)
            if entry is None:
                continue
            self._once(entry.point, where)
            self._measured(entry.point, Unit.KILOWATT, (*where, "point"))
            if entry.temperature is not None:
                self._measured(entry.temperature, Unit.CELSIUS, (*where, "temperature"))
            temperature = None if entry.temperature is None else PointId(entry.temperature)
            targets.append(ForecastTarget(PointId(entry.point), temperature))
        return tuple(targets)

    def _once(self, point: str, where: Where) -> None:
        first = self._named.setdefault(point, where)
        if first != where:
            line = self.reading.document.line((*first, "point"))
            self._add((*where, "point"), f"'{point}' is forecast already, by line {line}", "remove one of the two")

    def _measured(self, name: str, unit: Unit, where: Where) -> None:
        """Tell what is not a reading in the unit that is needed."""
        point = self.plant.points.get(PointId(name))
        if point is None:
            if not self.plant.is_excused(name):
                fitting = [id_ for id_, each in self.plant.points.items() if each.unit is unit]
                self._add(where, f"there is no '{name}' in devices.yaml", nearest(name, fitting, f"points in {unit}"))
        elif point.unit is not unit or point.kind is not PointKind.SENSOR:
            self._add(
                where,
                f"'{name}' is a {point.kind.value} with the unit {point.unit}",
                f"name a measured point in {unit}",
            )
