"""A device template as points that only lack their place at a site.

Every number of a template is in the unit that it declares; here it becomes ours, the address included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from controller.core.doubt import Doubt
from controller.core.equipment import EQUIPMENT, EquipmentClass, Quantity
from controller.core.point import Point, PointId, Range, ValueType, Writable
from controller.core.ports import DriverKind
from controller.core.units import DEVICE_UNITS, Linear, Unit
from controller.settings.candidate import Candidate
from controller.settings.conversion import IDENTITY, difference_inside, range_inside
from controller.settings.document import Document, Where
from controller.settings.point_list import Listed
from controller.settings.problems import Problems, nearest, shown
from controller.settings.quantities import refuse_what_class_says, said_by_point
from controller.settings.reading import Reading, read
from controller.settings.registry import look_up
from controller.settings.schema.templates import EquipmentHead, PointEntry, SourceEntry, TemplateFile, TemplateHead
from controller.settings.writables import (
    OF_LIST,
    OF_TEMPLATE,
    Wording,
    WritableCompiler,
    placed,
    references,
    upside_down,
)

_FALLBACK_STALE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TemplatePoint:
    """A sound point. writable refers to local names until it is placed."""

    said: Candidate
    stale_after: timedelta
    writable: Writable | None

    @property
    def local(self) -> str:
        return self.said.local

    def placed(self, ids: Mapping[str, PointId]) -> Point:
        """The point of one device; `ids` maps every local name that this site has."""
        quantity, entry = self.said.quantity, self.said.entry
        return Point(
            ids[self.local],
            quantity.kind,
            quantity.unit,
            type=quantity.type,
            stale_after=self.stale_after,
            plausible=self.said.plausible,
            writable=None if self.writable is None else placed(self.writable, ids),
            urgent=entry.urgent,
            cov_increment=difference_inside(entry.cov_increment, self.said.conversion),
            tags=entry.tags,
            states=quantity.states,
            doubt=self._doubt(),
        )

    def _doubt(self) -> Doubt | None:
        frozen_after, rate = self.said.entry.frozen_after, self.said.entry.plausible_rate
        if frozen_after is None and rate is None:
            return None
        return Doubt(frozen_after, None if rate is None else difference_inside(rate, self.said.conversion))

    def references(self) -> list[str]:
        """The local names that the point leans on."""
        return [] if self.writable is None else references(self.writable)


@dataclass(frozen=True, slots=True)
class Template:
    """declared: every local name in the file by equipment, the defective ones too. driver: None if it is not known.

    The rows of a device in a point list are one too: its local names are point ids, and it has no head.
    """

    reading: Reading[Any]
    head: TemplateHead | None
    driver: DriverKind | None
    classes: Mapping[str, str]
    points: Mapping[str, TemplatePoint]
    declared: Mapping[str, Sequence[str]]

    @property
    def document(self) -> Document:
        return self.reading.document


def read_template(
    folder: Path, name: str, driver_kind: Callable[[str], DriverKind], problems: Problems
) -> Template | None:
    """The template with everything noted that is wrong with it wherever it is used."""
    reading = read(folder / f"{name}.yaml", TemplateFile, problems)
    return None if reading is None else _Compiler(reading, problems).template(name, driver_kind)


def listed_template(listed: Listed, driver: DriverKind | None, problems: Problems) -> Template:
    """The rows of a device as the template of a type that only this one is."""
    compiler = _Compiler(listed.reading, problems, set(listed.broken), OF_LIST)
    return compiler.compiled(None, driver)


@dataclass
class _Compiler:
    reading: Reading[Any]
    problems: Problems
    declared: set[str] = field(default_factory=set[str])
    words: Wording = OF_TEMPLATE
    classes: dict[str, str] = field(default_factory=dict[str, str])
    candidates: dict[str, Candidate] = field(default_factory=dict[str, Candidate])

    def template(self, name: str, driver_kind: Callable[[str], DriverKind]) -> Template:
        head = self.reading.piece((), TemplateHead)
        driver = None
        if head is not None:
            driver = look_up(driver_kind, head.driver, "drivers", partial(self._tell, ("driver",)))
            if head.template != name:
                self._tell(("template",), f"the template calls itself '{head.template}'", f"its file says '{name}'")
        return self.compiled(head, driver)

    def compiled(self, head: TemplateHead | None, driver: DriverKind | None) -> Template:
        for where in self.reading.items(("equipment",)):
            self._gather(where)
        sheet = "" if head is None or head.source == "generic" else _named(head.source)
        points = self._points(driver, _FALLBACK_STALE_AFTER if head is None else head.stale_after, sheet)
        declared: dict[str, list[str]] = {}
        for local in sorted(self.declared):
            declared.setdefault(local.rpartition(".")[0], []).append(local)
        return Template(self.reading, head, driver, self.classes, points, declared)

    def _points(self, driver: DriverKind | None, stale_after: timedelta, sheet: str) -> dict[str, TemplatePoint]:
        compiler = WritableCompiler(self.candidates, self.declared, driver, self._tell, self.words, sheet)
        points: dict[str, TemplatePoint] = {}
        for local, said in self.candidates.items():
            entry = said.entry.writable
            writable = None if entry is None else compiler.compiled(said, entry)
            if said.is_sound and (writable is not None or entry is None):
                points[local] = TemplatePoint(said, said.entry.stale_after or stale_after, writable)
        return points

    # --- what there is

    def _gather(self, where: Where) -> None:
        equipment = str(where[-1])
        places = self.reading.items((*where, "points"))
        self.declared.update(f"{equipment}.{place[-1]}" for place in places)
        self.classes[equipment] = ""
        head = self.reading.piece(where, EquipmentHead)
        if head is None:
            return
        known = EQUIPMENT.get(head.equipment_class)
        if known is None:
            wrong = f"the equipment class '{shown(head.equipment_class)}' is unknown"
            self._tell((*where, "class"), wrong, nearest(head.equipment_class, EQUIPMENT, "classes"))
            return
        self.classes[equipment] = known.name
        for place in places:
            entry = self.reading.piece(place, PointEntry)
            quantity = self._quantity(known, place, entry)
            if quantity is not None and entry is not None:
                local = f"{equipment}.{place[-1]}"
                self.candidates[local] = self._candidate(local, place, known.name, quantity, entry)

    def _quantity(self, known: EquipmentClass, place: Where, entry: PointEntry | None) -> Quantity | None:
        """What the point measures or orders; None, with the problem told, where nobody can say."""
        if known.is_open:
            return None if entry is None else said_by_point(entry, place, self._tell)
        name = str(place[-1])
        if name not in known.quantities:
            wrong = f"a {known.name} has no quantity '{shown(name)}'"
            self._tell(place, wrong, nearest(name, known.quantities, "quantities"))
            return None
        if entry is not None:
            refuse_what_class_says(entry, known, place, self._tell)
        return known.quantities[name]

    def _candidate(self, local: str, where: Where, its_class: str, quantity: Quantity, entry: PointEntry) -> Candidate:
        conversion = self._conversion(where, entry, quantity)
        plausible: Range | None = None
        if entry.plausible is not None:
            if entry.plausible[0] >= entry.plausible[1]:
                self._tell((*where, "plausible"), *upside_down("plausible", entry.plausible))
            plausible = range_inside(entry.plausible, conversion or IDENTITY)
        self._refuse_doubt(where, entry, quantity)
        is_sound = conversion is not None
        return Candidate(local, where, its_class, quantity, entry, conversion or IDENTITY, plausible, is_sound)

    def _refuse_doubt(self, where: Where, entry: PointEntry, quantity: Quantity) -> None:
        """What is written stands still and jumps; what is no number has no rate."""
        for name in ("plausible_rate", "frozen_after"):
            if getattr(entry, name) is None:
                continue
            if entry.writable is not None:
                self._tell((*where, name), f"'{name}' is for what is measured", f"remove '{name}' or 'writable'")
            elif name == "plausible_rate" and quantity.type not in (ValueType.NUMBER, ValueType.INTEGER):
                self._tell((*where, name), f"a {quantity.type} has no rate", "remove 'plausible_rate'")

    def _conversion(self, where: Where, entry: PointEntry, quantity: Quantity) -> Linear | None:
        known = DEVICE_UNITS.get(entry.unit)
        if known is not None and known[0] is quantity.unit:
            return known[1]
        fitting = [name for name, (unit, _) in DEVICE_UNITS.items() if unit is quantity.unit]  # ours is the first
        right = "leave the unit out" if quantity.unit is Unit.NONE else f"write one of {', '.join(fitting)}"
        if not self.reading.document.has((*where, "unit")):
            wrong = f"'{where[-1]}' has no unit"
        elif known is None:
            wrong = f"the unit '{shown(entry.unit)}' is unknown"
        else:
            wrong = f"the unit {entry.unit} does not fit '{where[-1]}'"
        self._tell((*where, "unit"), wrong, right)
        return None

    def _tell(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)


def _named(source: SourceEntry) -> str:
    """The manual as it is named beside a limit that acts."""
    return f"{source.title}, {source.revision}, {source.page}"
