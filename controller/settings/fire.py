"""The fire inputs of site.yaml: which point says fire, and what a fire means for what is written.

What is not listed follows from the classes: lights go up, fans and dampers are let go at once, and a system with a
chiller is let go in its order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from controller.core.fire import FireInput
from controller.core.handover import Machine, lifelines_of, machines_of
from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.site import Device
from controller.core.system import System
from controller.core.units import Unit
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import FireEntry, SiteFile
from controller.settings.section import SectionCompiler
from controller.settings.writables import advice, is_value_of, plain

_LIGHTS = frozenset({"lighting_group", "lighting_circuit", "sensor_lamp_group"})
_VENTILATION = frozenset({"air_handler", "fan", "damper"})
_CHILLER = "chiller"

# A fire is to be seen within a second, however seldom the site decides.
_SEEN_WITHIN = timedelta(seconds=1)


@dataclass
class FireCompiler(SectionCompiler[SiteFile]):
    systems: Sequence[System]
    scan_every: timedelta
    _inputs: dict[str, Where] = field(default_factory=dict[str, Where])
    _handshakes: set[PointId] = field(default_factory=set[PointId])
    _machines: tuple[Machine, ...] = ()

    def compiled(self) -> tuple[FireInput, ...]:
        writables = [point for point in self.plant.points.values() if point.writable is not None]
        self._machines = machines_of(writables)
        self._handshakes |= {each.remote for each in self._machines}
        self._handshakes |= {each.heartbeat for each in lifelines_of(writables)}
        places = self.reading.items(("fire",))
        entries = [(self.reading.piece(where, FireEntry), where) for where in places]
        return tuple(self._input(entry, where) for entry, where in entries if entry is not None)

    def _input(self, entry: FireEntry, where: Where) -> FireInput:
        self._check_input(entry, (*where, "input"))
        systems = self._systems(entry, where)
        named = {
            name: self._named(names, (*where, name))
            for name, names in (("lights", entry.lights), ("ventilation", entry.ventilation), ("plant", entry.plant))
            if names is not None
        }
        self._once(named, where)
        if "lights" in named:
            self._check_lights(named["lights"], (*where, "lights"))
        taken = {point for points in named.values() for point in points}
        found = self._derived(systems, taken)
        chosen = {name: tuple(named.get(name, points)) for name, points in found.items()}
        self._check_whole(chosen["lights"], (*where, "lights"))
        return FireInput(PointId(entry.input.point), entry.input.value, **chosen)

    # --- the input

    def _check_input(self, entry: FireEntry, where: Where) -> None:
        name, place = entry.input.point, (*where, "point")
        first = self._inputs.setdefault(name, place)
        if first != place:
            line = self.reading.document.line(first)
            self._add(place, f"'{name}' is a fire input already, by line {line}", "remove one of the two")
        point = self.plant.points.get(PointId(name))
        if point is None:
            if not self.plant.is_excused(name):
                fitting = [id_ for id_, each in self.plant.points.items() if each.kind is PointKind.STATUS]
                self._add(place, f"there is no point '{name}'", nearest(name, fitting, "statuses"))
            return
        if point.kind is not PointKind.STATUS:
            self._add(place, f"'{name}' is a {point.kind}", "name a status that only the fire alarm system sets")
        elif not is_value_of(entry.input.value, point):
            self._add((*where, "is"), f"'{name}' is never {plain(entry.input.value)}", f"write {advice(point)}")
        self._check_pace(point, place)

    def _check_pace(self, point: Point, where: Where) -> None:
        if not point.urgent:
            right = "write 'urgent: true' at the point in its template or point list"
            self._add(where, f"'{point.id}' is not urgent, and a fire would wait for the next scan", right)
        device = next((each for each in self._devices() if point.id in each.points), None)
        if device is None:
            return
        pace, needed = device.urgent_every or device.poll_every, max(self.scan_every, _SEEN_WITHIN)
        if pace > needed:
            wrong = f"'{point.id}' is read every {pace.total_seconds():g} s only"
            right = f"write 'urgent_every: {needed.total_seconds():g}s' at its device '{device.id}'"
            self._add(where, wrong, right)

    def _devices(self) -> Iterable[Device]:
        return (device for link in self.plant.links for device in link.devices)

    # --- what it means

    def _systems(self, entry: FireEntry, where: Where) -> list[System]:
        if entry.systems is None:
            return [*self.systems]
        known = {each.id: each for each in self.systems}
        for index, name in enumerate(entry.systems):
            if name not in known:
                place = (*where, "systems", index)
                self._add(place, f"there is no system '{name}'", nearest(name, known, "systems"))
        return [known[name] for name in entry.systems if name in known]

    def _derived(self, systems: Sequence[System], taken: Collection[PointId]) -> dict[str, list[PointId]]:
        """By class, without what is listed already."""
        found: dict[str, list[PointId]] = {"lights": [], "ventilation": [], "plant": []}
        for system in systems:
            free = [point for point in self._commanded(system.points) if point not in taken]
            has_chiller = any(self._class(point) == _CHILLER for point in system.points)
            for point in free:
                if self._class(point) in _LIGHTS:
                    if self._makes_light(point):
                        found["lights"].append(point)
                elif self._class(point) in _VENTILATION:
                    found["ventilation"].append(point)
                elif has_chiller:
                    found["plant"].append(point)
        return found

    def _named(self, names: Sequence[str], where: Where) -> list[PointId]:
        found: dict[PointId, None] = {}
        for index, name in enumerate(names):
            place = (*where, index)
            if name in self.plant.points:
                points = [PointId(name)]
            elif name in self.plant.equipment:
                points = self.plant.points_of(name)
            else:
                if not self.plant.is_excused(name):
                    known = self.plant.points if name.count(".") == 2 else self.plant.equipment
                    self._add(place, f"there is no '{name}' in devices.yaml", nearest(name, known, "names"))
                continue
            commanded = self._commanded(points)
            if not commanded:
                self._add(place, f"nothing of '{name}' is ever commanded", "remove it")
            found.update(dict.fromkeys(commanded))
        return [*found]

    def _once(self, named: Mapping[str, Sequence[PointId]], where: Where) -> None:
        told: dict[PointId, str] = {}
        for name, points in named.items():
            for point in points:
                first = told.setdefault(point, name)
                if first != name:
                    self._add((*where, name), f"'{point}' is among '{first}', too", "a fire means one thing for it")

    def _makes_light(self, id_: PointId) -> bool:
        """Whether it goes up to full: on or 1; of lamps that see motion themselves both levels do."""
        point = self.plant.points[id_]
        return point.type is ValueType.BOOLEAN or point.unit is Unit.FRACTION

    def _check_lights(self, points: Iterable[PointId], where: Where) -> None:
        for id_ in points:
            if not self._makes_light(id_):
                self._add(where, f"'{id_}' is neither on/off nor a fraction", "name what makes light: on, or 1")

    def _check_whole(self, lights: Collection[PointId], where: Where) -> None:
        """A machine is taken as a whole or not at all: a lamp whose neighbour nobody commands would stay dark."""
        for machine in self._machines:
            beside = [each for each in machine.commands if each not in lights]
            if beside and len(beside) < len(machine.commands):
                light = next(each for each in machine.commands if each in lights)
                wrong = f"'{light}' would not go up: '{machine.remote}' hands over '{beside[0]}', too"
                self._add(where, wrong, f"add '{beside[0]}' to 'lights', or leave '{light}' out")

    def _commanded(self, points: Iterable[PointId]) -> list[PointId]:
        """Without remote bits and heartbeats, which nobody commands."""
        known = [point for point in points if point in self.plant.points]
        return [each for each in known if self.plant.points[each].writable is not None and each not in self._handshakes]

    def _class(self, point: PointId) -> str:
        return self.plant.equipment.get(self.plant.points[point].equipment, "")
