"""The equipment of site.yaml that is not to be used: under repair, taken down, not delivered yet."""

from __future__ import annotations

from collections.abc import Mapping

from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import OutOfServiceEntry, SiteFile
from controller.settings.section import SectionCompiler


class OutOfServiceCompiler(SectionCompiler[SiteFile]):
    def compiled(self) -> Mapping[str, str]:
        """Why, by equipment."""
        reasons: dict[str, str] = {}
        named: dict[str, Where] = {}
        for where in self.reading.items(("out_of_service",)):
            entry = self.reading.piece(where, OutOfServiceEntry)
            if entry is None:
                continue
            place = (*where, "equipment")
            first = named.setdefault(entry.equipment, place)
            if first != place:
                line = self.reading.document.line(first)
                self._add(place, f"'{entry.equipment}' is out of service already, by line {line}", "remove one")
            elif entry.equipment not in self.plant.equipment and not self.plant.is_excused(entry.equipment):
                wrong = f"there is no '{entry.equipment}' in devices.yaml"
                self._add(place, wrong, nearest(entry.equipment, self.plant.equipment, "equipment"))
            reasons[entry.equipment] = entry.reason
        return reasons
