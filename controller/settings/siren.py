"""The siren of alarms.yaml: a point that may sound, and that is silent once nobody commands it."""

from __future__ import annotations

from controller.core.alarm import Priority
from controller.core.handover import lifelines_of, machines_of
from controller.core.point import Point, PointId, SafeValue, ValueType
from controller.core.siren import Siren
from controller.core.system import Condition
from controller.settings.document import Where
from controller.settings.schema.alarms import AlarmsFile, SirenEntry
from controller.settings.schema.words import ConditionEntry
from controller.settings.section import SectionCompiler
from controller.settings.writables import advice, is_value_of, plain

_WHERE: Where = ("siren",)


class SirenCompiler(SectionCompiler[AlarmsFile]):
    def compiled(self) -> Siren | None:
        if not self.reading.document.has(_WHERE):
            return None
        entry = self.reading.piece(_WHERE, SirenEntry)
        if entry is None:
            return None
        point = self._known_point(entry.point, (*_WHERE, "point"))
        if point is not None:
            self._check(point, (*_WHERE, "point"))
        button = None if entry.silence is None else self._button(entry.silence)
        return Siren(PointId(entry.point), Priority[entry.priority.upper()], entry.longest, button)

    def _check(self, point: Point, where: Where) -> None:
        writable = point.writable
        if writable is None or point.type is not ValueType.BOOLEAN or self._is_handshake(point):
            self._add(where, f"'{point.id}' is nothing that can be switched on", "name the command of a siren")
        elif isinstance(writable.release, SafeValue) and writable.release.value is not False:
            wrong = f"'{point.id}' would sound whenever it is let go"
            self._add(where, wrong, "let it go by safe_value: false, write_null or a remote_bit")

    def _is_handshake(self, point: Point) -> bool:
        writables = [each for each in self.plant.points.values() if each.writable is not None]
        remotes, beats = machines_of(writables), lifelines_of(writables)
        return point.id in {each.remote for each in remotes} | {each.heartbeat for each in beats}

    def _button(self, entry: ConditionEntry) -> Condition:
        where = (*_WHERE, "silence")
        point = self._known_point(entry.point, (*where, "point"))
        if point is not None and not is_value_of(entry.value, point):
            self._add((*where, "is"), f"'{point.id}' is never {plain(entry.value)}", f"write {advice(point)}")
        if entry.lasting:
            self._add((*where, "lasting"), "'lasting' has no meaning here", "remove it; pressing the button silences")
        return Condition(PointId(entry.point), entry.value)
