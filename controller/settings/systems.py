"""The systems of site.yaml: what has authority, and in which order it lets go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from controller.core.point import DeviceTimeout, Heartbeat, PointId, RemoteBit, ValueType
from controller.core.sample import Scalar
from controller.core.system import (
    AuthorityInput,
    Condition,
    Exclusion,
    HandBack,
    Member,
    Permissive,
    ReleaseStep,
    System,
)
from controller.core.text import NO_TEXT
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.site import HandBackEntry, MemberEntry, SiteFile, SystemEntry
from controller.settings.schema.words import ConditionEntry
from controller.settings.section import SectionCompiler
from controller.settings.writables import advice, is_value_of, plain

# A device that drops us sooner would drop us between two scans.
_SCANS_WITHIN_SILENCE = 3


@dataclass
class SystemsCompiler(SectionCompiler[SiteFile]):
    scan_every: timedelta
    systems: list[System] = field(default_factory=list[System])
    _owners: dict[PointId, tuple[str, Where]] = field(default_factory=dict[PointId, "tuple[str, Where]"])
    _ids: dict[str, Where] = field(default_factory=dict[str, Where])
    _whole: bool = True

    def compiled(self) -> tuple[System, ...]:
        for where in self.reading.items(("systems",)):
            entry = self.reading.piece(where, SystemEntry)
            if entry is None:
                self._whole = False
            else:
                self.systems.append(self._system(entry, where))
        if self._whole and self.plant.whole:
            self._all_owned()
        self._handshakes()
        return tuple(self.systems)

    # --- one system

    def _system(self, entry: SystemEntry, where: Where) -> System:
        first = self._ids.setdefault(entry.id, where)
        if first != where:
            line = self.reading.document.line((*first, "id"))
            self._add(
                (*where, "id"), f"the system '{entry.id}' is there already, on line {line}", "give one another id"
            )
        points: dict[PointId, None] = {}
        for index, name in enumerate(entry.points):
            place = (*where, "points", index)
            for point in self._written(name, place):
                points[point] = None
                self._own(point, name, entry.id, place)
        return System(
            entry.id,
            entry.name.text(),
            tuple(points),
            self._release(entry, where, tuple(points)),
            entry.release_within,
            entry.yield_for,
            tuple(self._permissive(entry, where, index, points) for index in range(len(entry.permissives))),
            None if entry.hand_back is None else _hand_back(entry.hand_back),
            tuple(self._exclusion(entry, where, index, points) for index in range(len(entry.exclusions))),
            self._original_while(entry, where),
        )

    def _original_while(self, entry: SystemEntry, where: Where) -> AuthorityInput | None:
        given = entry.original_while
        if given is None:
            return None
        condition = self._condition(
            ConditionEntry.model_construct(point=given.point, value=given.value), (*where, "original_while")
        )
        return AuthorityInput(condition, given.unknown_after, given.back_after)

    def _own(self, point: PointId, name: str, system: str, where: Where) -> None:
        owner, first = self._owners.setdefault(point, (system, where))
        if first != where:
            line = self.reading.document.line(first)
            wrong = f"'{name}' belongs to the system '{owner}' already, by line {line}"
            self._add(where, wrong, "a point that is written belongs to one system, once")

    def _written(self, name: str, where: Where) -> list[PointId]:
        """What is written of an equipment, or the one point of that name."""
        if name in self.plant.points:
            found = [PointId(name)]
        elif name in self.plant.equipment:
            found = self.plant.points_of(name)
        else:
            if not self.plant.is_excused(name):
                known, what = (
                    (self.plant.points, "points") if name.count(".") == 2 else (self.plant.equipment, "equipment")
                )
                self._add(where, f"there is no '{name}' in devices.yaml", nearest(name, known, what))
            return []
        written = [point for point in found if self._is_writable(point)]
        if not written and not self._has_broken(name):
            self._add(where, f"nothing of '{name}' is ever written", "remove it: a system lists what it writes")
        return written

    def _has_broken(self, name: str) -> bool:
        return self.plant.is_excused(name) or any(each.startswith(f"{name}.") for each in self.plant.broken)

    # --- letting go

    def _release(self, entry: SystemEntry, where: Where, writable: Sequence[PointId]) -> tuple[ReleaseStep, ...]:
        if entry.release_order is None:
            return (ReleaseStep(tuple(writable)),) if writable else ()
        steps: list[ReleaseStep] = []
        told: dict[PointId, Where] = {}
        for index, step in enumerate(entry.release_order):
            place = (*where, "release_order", index)
            points: list[PointId] = []
            for number, name in enumerate(step.points):
                points.extend(self._released(name, (*place, "points", number), writable, told))
            after = [self._condition(each, (*place, "after", at)) for at, each in enumerate(step.after)]
            needs = [self._condition(each, (*place, "needs", at)) for at, each in enumerate(step.needs)]
            steps.append(ReleaseStep(tuple(points), tuple(after), tuple(needs)))
        missing = [point for point in writable if point not in told]
        if missing and self.plant.whole:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            wrong = f"the order never lets go of '{missing[0]}'{more}"
            self._add((*where, "release_order"), wrong, "name every written point in one step, or its equipment")
        return tuple(steps)

    def _released(
        self, name: str, where: Where, writable: Sequence[PointId], told: dict[PointId, Where]
    ) -> list[PointId]:
        found = self._written(name, where)
        for point in found:
            first = told.setdefault(point, where)
            if first != where:
                line = self.reading.document.line(first)
                self._add(where, f"'{name}' is let go twice: here and on line {line}", "name it in one step")
            if point not in writable:
                self._add(where, f"'{name}' is not in this system", "add it to the system's points, or remove it here")
        return found

    def _permissive(self, entry: SystemEntry, where: Where, index: int, points: dict[PointId, None]) -> Permissive:
        permissive, place = entry.permissives[index], (*where, "permissives", index)
        start = permissive.start
        known = self._known_point(start, (*place, "start"))
        if known is not None and known.writable is None:
            self._add((*place, "start"), f"'{start}' is never written", "name the point whose start is to be held back")
        elif known is not None and known.id not in points:
            self._add(
                (*place, "start"), f"'{start}' is not in this system", "move the permissive to the point's system"
            )
        return Permissive(PointId(start), self._condition(permissive.needs, (*place, "needs")))

    def _exclusion(self, entry: SystemEntry, where: Where, index: int, points: dict[PointId, None]) -> Exclusion:
        named: set[str] = set()
        members: list[Member] = []
        for number, each in enumerate(entry.exclusions[index]):
            place = (*where, "exclusions", index, number)
            if each.point in named:
                self._add(place, f"'{each.point}' would exclude itself", "name two different points")
            named.add(each.point)
            self._excluded(each, (*place, "point"), points)
            off = None
            if each.off is not None:
                off = self._state(each.off.point, each.off.value, (*place, "off"))
            members.append(Member(PointId(each.point), off))
        return Exclusion(tuple(members))

    def _excluded(self, entry: MemberEntry, where: Where, points: dict[PointId, None]) -> None:
        """An on/off command of this system, which something proves off: what it was told last proves nothing."""
        name = entry.point
        point = self._known_point(name, where)
        if point is None:
            return
        if point.writable is None or point.type is not ValueType.BOOLEAN or self._is_handshake(point.id):
            self._add(where, f"'{name}' is no on/off command", "name the points that start or open what may not be on")
        elif point.id not in points:
            right = "exclude points of one system; across systems write a permissive in each"
            self._add(where, f"'{name}' is not in this system", right)
        elif entry.off is None and point.writable.effect is None:
            right = "add off: {point: ..., is: ...}, or an effect to its template"
            self._add(where, f"nothing proves '{name}' off", right)

    def _is_handshake(self, point: PointId) -> bool:
        return any(
            each.writable is not None
            and isinstance(each.writable.release, RemoteBit)
            and each.writable.release.point == point
            for each in self.plant.points.values()
        )

    def _condition(self, entry: ConditionEntry, where: Where) -> Condition:
        return replace(self._state(entry.point, entry.value, where), lasting=entry.lasting)

    def _state(self, name: str, value: Scalar, where: Where) -> Condition:
        point = self._known_point(name, (*where, "point"))
        if point is not None and not is_value_of(value, point):
            wrong = f"'{point.id}' is never {plain(value)}"
            self._add((*where, "is"), wrong, f"write {advice(point)}")
        return Condition(PointId(name), value)

    # --- all systems together

    def _all_owned(self) -> None:
        orphans: dict[str, list[PointId]] = {}
        for point in self.plant.points.values():
            if point.writable is not None and point.id not in self._owners:
                orphans.setdefault(point.equipment, []).append(point.id)
        for equipment, names in orphans.items():
            whole = len(names) == sum(self._is_writable(point) for point in self.plant.points_of(equipment))
            subject = f"'{names[0]}'" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
            right = f"add '{equipment if whole else names[0]}' to the points of one system"
            self._add(("systems",), f"no system has {subject}, which can be written", right)

    def _handshakes(self) -> None:
        """What hands a point over or keeps it alive stands and falls with the point's own system."""
        for point in self.plant.points.values():
            if point.writable is None or point.id not in self._owners:
                continue
            release, silence = point.writable.release, point.writable.on_silence
            if isinstance(release, RemoteBit):
                self._together(point.id, release.point, "let go")
            if isinstance(silence, Heartbeat):
                self._together(point.id, silence.point, "kept alive")
            if isinstance(silence, (DeviceTimeout, Heartbeat)):
                self._long_enough(silence.after)

    def _together(self, point: PointId, other: PointId, what: str) -> None:
        system, where = self._owners[point]
        if self._owners.get(other, (system, where))[0] != system:
            wrong = f"'{point}' is {what} by '{other}', which belongs to another system"
            self._add(where, wrong, "put both into one system")

    def _long_enough(self, silence: timedelta) -> None:
        if silence < _SCANS_WITHIN_SILENCE * self.scan_every:
            wrong = f"a device drops us after {silence.total_seconds():g} s of silence, the scan is too slow for it"
            self._add(
                ("scan_every",), wrong, f"scan at least every {silence.total_seconds() / _SCANS_WITHIN_SILENCE:.2g}s"
            )

    def _is_writable(self, point: PointId) -> bool:
        return self.plant.points[point].writable is not None


def _hand_back(entry: HandBackEntry) -> HandBack:
    return HandBack(entry.action.text(), NO_TEXT if entry.proof is None else entry.proof.text())
