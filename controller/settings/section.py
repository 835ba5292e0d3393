"""What compilers of a part of the site's files have in common: the file, the plant it speaks of, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from controller.core.point import Point, PointId
from controller.settings.devices import Plant
from controller.settings.document import Where
from controller.settings.problems import Problems, nearest
from controller.settings.reading import Reading

FileT = TypeVar("FileT", bound=BaseModel)


@dataclass
class SectionCompiler(Generic[FileT]):
    reading: Reading[FileT]
    plant: Plant
    problems: Problems

    def _known_point(self, name: str, where: Where) -> Point | None:
        """The point of that name; told where there is none, unless what would have it is defective itself."""
        point = self.plant.points.get(PointId(name))
        if point is None and not self.plant.is_excused(name):
            self._add(where, f"there is no point '{name}'", nearest(name, self.plant.points, "points"))
        return point

    def _add(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)
