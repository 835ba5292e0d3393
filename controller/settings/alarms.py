"""alarms.yaml: what a site finds alarming, how it judges what is built in, and who is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_catalogue import BUILT_IN, DEVICE_LOST, LINK_LOST, STRATEGY_FAULT, built_in
from controller.core.alarm_route import Route, Rung
from controller.core.alarm_rule import Above, Adjustment, Below, Equals, IsBad, PointRule, Test
from controller.core.point import Point, PointId, ValueType
from controller.core.site import Alarming
from controller.core.system import Condition
from controller.core.text import NO_TEXT, Text
from controller.settings.document import Where
from controller.settings.problems import nearest
from controller.settings.schema.alarms import AlarmEntry, AlarmsFile, RouteEntry
from controller.settings.schema.words import TextEntry
from controller.settings.secrets import Secrets
from controller.settings.section import SectionCompiler
from controller.settings.siren import SirenCompiler
from controller.settings.writables import advice, is_value_of, plain

_SUBJECTS = ("point", "verdict", "link", "device", "strategy")
_TESTS = ("above", "below", "is", "bad_for")
_ONLY_WITH_POINT = (*_TESTS, "deadband", "only_while", "only_in_auto")
_NEVER_SUPPRESSED = frozenset({"fire_alarm"})
_BUILT_IN_IDS = {name.replace(" ", "_"): name for name in BUILT_IN}


@dataclass
class AlarmsCompiler(SectionCompiler[AlarmsFile]):
    """strategies: the ids of strategies.yaml, as far as they can be read."""

    strategies: Collection[str]
    secrets: Secrets
    _ids: dict[str, Where] = field(default_factory=dict[str, Where])

    def compiled(self) -> Alarming:
        rules: list[PointRule] = []
        adjustments: list[Adjustment] = []
        for where in self.reading.items(("alarms",)):
            entry = self.reading.piece(where, AlarmEntry)
            if entry is None:
                continue
            self._once(entry.id, where)
            subject = self._only_one(_SUBJECTS, where, "an alarm is about one thing")
            if subject == "point":
                rules += self._rule(entry, where)
            elif subject is not None:
                self._refuse(_ONLY_WITH_POINT, where, f"belongs to a point, and this alarm is about a {subject}")
                adjustments += self._adjustment(entry, subject, where)
        siren = SirenCompiler(self.reading, self.plant, self.problems).compiled()
        return Alarming(tuple(rules), tuple(adjustments), self._routes(), siren)

    # --- rules on points

    def _rule(self, entry: AlarmEntry, where: Where) -> list[PointRule]:
        self._refuse(("points",), where, "belongs to a verdict, and this alarm is about a point")
        point = self._known_point(entry.point or "", (*where, "point"))
        kind = self._only_one(_TESTS, where, "an alarm on a point has one test")
        if entry.id in _BUILT_IN_IDS:
            self._add((*where, "id"), f"'{entry.id}' is the name of a built-in alarm", "give it another id")
        if kind not in ("above", "below"):
            self._refuse(("deadband",), where, "belongs to 'above' or 'below'")
        if kind == "bad_for":
            self._refuse(("on_delay",), where, "is what 'bad_for' says already")
        only_while = self._only_while(entry, where)
        if entry.only_in_auto and point is not None and point.quantity in _NEVER_SUPPRESSED:
            wrong, right = f"'{point.id}' speaks of people, and 'only_in_auto' would hide it", "remove 'only_in_auto'"
            self._add((*where, "only_in_auto"), wrong, right)
        if point is None or kind is None or not self._fits(entry, kind, point, where):
            return []
        behaviour = Behaviour(
            Priority[entry.priority.upper()],
            (entry.bad_for if entry.bad_for is not None else entry.on_delay) or timedelta(0),
            entry.off_delay or timedelta(0),
            entry.latching or False,
            entry.work_order or False,
        )
        wording = Wording(_text(entry.text) if entry.text else _wrong(entry, point), _text(entry.advice))
        return [
            PointRule(
                entry.id, point.id, _test(entry, kind), behaviour, wording, only_while, entry.only_in_auto or False
            )
        ]

    def _fits(self, entry: AlarmEntry, kind: str, point: Point, where: Where) -> bool:
        """Whether the test can be made of values of the point."""
        if kind == "is":
            if entry.value is not None and is_value_of(entry.value, point):
                return True
            self._add((*where, "is"), f"'{point.id}' is never {plain(entry.value or '')}", f"write {advice(point)}")
            return False
        if kind in ("above", "below") and point.type not in (ValueType.NUMBER, ValueType.INTEGER):
            self._add((*where, kind), f"'{point.id}' is no number", f"write 'is: {advice(point)}'")
            return False
        return True

    def _only_while(self, entry: AlarmEntry, where: Where) -> Condition | None:
        said = entry.only_while
        if said is None:
            return None
        place = (*where, "only_while")
        point = self._known_point(said.point, (*place, "point"))
        if point is not None and not is_value_of(said.value, point):
            self._add((*place, "is"), f"'{point.id}' is never {plain(said.value)}", f"write {advice(point)}")
        if said.lasting:
            right = "remove it; on_delay counts from the moment on which the alarm means something"
            self._add((*place, "lasting"), "'lasting' has no meaning here", right)
        return Condition(PointId(said.point), said.value)

    # --- what is built in

    def _adjustment(self, entry: AlarmEntry, subject: str, where: Where) -> list[Adjustment]:
        if subject != "verdict":
            self._refuse(("points",), where, f"belongs to a verdict, and this alarm is about a {subject}")
        name, subjects = self._subjects(entry, subject, where)
        before = built_in(name).behaviour
        behaviour = replace(
            before,
            priority=Priority[entry.priority.upper()],
            on_delay=before.on_delay if entry.on_delay is None else entry.on_delay,
            off_delay=before.off_delay if entry.off_delay is None else entry.off_delay,
            latching=before.latching if entry.latching is None else entry.latching,
            orders_work=entry.work_order or False,
        )
        return [Adjustment(name, frozenset(subjects), behaviour, Wording(_text(entry.text), _text(entry.advice)))]

    def _subjects(self, entry: AlarmEntry, subject: str, where: Where) -> tuple[str, list[str]]:
        """The built-in alarm that is meant, and on what."""
        if entry.verdict is not None:
            return _BUILT_IN_IDS[entry.verdict], self._verdict_points(entry, where)
        links = {link.id for link in self.plant.links}
        devices = {device.id for link in self.plant.links for device in link.devices}
        known = {
            "link": (LINK_LOST, entry.link, links, self.plant.whole),
            "device": (DEVICE_LOST, entry.device, devices, self.plant.whole),
            "strategy": (STRATEGY_FAULT, entry.strategy, set(self.strategies), True),
        }
        name, said, there_are, is_sure = known[subject]
        assert said is not None
        if said not in there_are and is_sure:
            kinds = {"strategy": "strategies"}.get(subject, f"{subject}s")
            self._add((*where, subject), f"there is no {subject} '{said}'", nearest(said, there_are, kinds))
        return name, [said]

    def _verdict_points(self, entry: AlarmEntry, where: Where) -> list[str]:
        found: list[str] = []
        writable = [point.id for point in self.plant.points.values() if point.writable is not None]
        for index, said in enumerate(entry.points or ()):
            fitting = [each for each in writable if each == said or each.rpartition(".")[0] == said]
            if not fitting and not self.plant.is_excused(said):
                wrong = f"'{said}' is no point that can be written, nor an equipment with one"
                self._add((*where, "points", index), wrong, nearest(said, writable, "points"))
            found += fitting or [said]
        return found

    # --- routes

    def _routes(self) -> tuple[Route, ...]:
        routes: list[Route] = []
        ids: dict[str, Where] = {}
        for where in self.reading.items(("routes",)):
            entry = self.reading.piece(where, RouteEntry)
            if entry is None:
                continue
            first = ids.setdefault(entry.id, where)
            if first != where:
                line = self.reading.document.line((*first, "id"))
                self._add((*where, "id"), f"the route '{entry.id}' is there already, by line {line}", "rename one")
            ladder = self._ladder(entry, where)
            routes.append(Route(entry.id, Priority[entry.priority.upper()], tuple(ladder), entry.language))
        return tuple(routes)

    def _ladder(self, entry: RouteEntry, where: Where) -> list[Rung]:
        ladder = [Rung(self._address((*where, "to")))]
        for index, each in enumerate(entry.escalation):
            place = (*where, "escalation", index)
            if each.after <= ladder[-1].after:
                wrong = "the one before is told at the same time or later"
                self._add((*place, "after"), wrong, "order them by 'after', counted from the alarm")
            ladder.append(Rung(self._address((*place, "to")), each.after))
        return ladder

    def _address(self, where: Where) -> str:
        resolved = self.secrets.resolved(self.reading.document, where)
        if resolved is None:
            return ""
        address = str(resolved[0])
        if not _is_address(address):
            wrong = "what the secret holds is no address that Apprise knows"
            right = "write one like wecombot://KEY, dingtalk://TOKEN or mailtos://USER:PASSWORD@example.org"
            self._add(where, wrong, right)
        return address

    # --- what is common

    def _once(self, id_: str, where: Where) -> None:
        first = self._ids.setdefault(id_, where)
        if first != where:
            line = self.reading.document.line((*first, "id"))
            self._add((*where, "id"), f"the alarm '{id_}' is there already, by line {line}", "give it another id")

    def _only_one(self, keys: Collection[str], where: Where, why: str) -> str | None:
        """Which of the keys stands there; None, with the problem noted, unless it is exactly one."""
        there = [key for key in keys if self.reading.document.has((*where, key))]
        if len(there) == 1:
            return there[0]
        if there:
            self._add((*where, there[1]), f"'{there[1]}' stands beside '{there[0]}'; {why}", "write two alarms")
        elif not self.reading.has_unknown(where):
            self._add(where, f"{why}, and nothing is said", f"add one of {', '.join(keys)}")
        return None

    def _refuse(self, keys: Collection[str], where: Where, why: str) -> None:
        for key in keys:
            if self.reading.document.has((*where, key)):
                self._add((*where, key), f"'{key}' {why}", f"remove '{key}'")


def _test(entry: AlarmEntry, kind: str) -> Test:
    deadband = entry.deadband or 0.0
    if kind == "above" and entry.above is not None:
        return Above(entry.above, deadband)
    if kind == "below" and entry.below is not None:
        return Below(entry.below, deadband)
    if kind == "is" and entry.value is not None:
        return Equals(entry.value)
    return IsBad()


def _wrong(entry: AlarmEntry, point: Point) -> Text:
    """What an alarm says that has no text of its own."""
    unit = "" if point.unit.value == "none" else f" {point.unit.value}"
    if entry.above is not None:
        return Text(f"above {entry.above:g}{unit}", f"高于 {entry.above:g}{unit}")
    if entry.below is not None:
        return Text(f"below {entry.below:g}{unit}", f"低于 {entry.below:g}{unit}")
    if entry.value is not None:
        return Text(f"is {plain(entry.value)}", f"为 {plain(entry.value)}")
    return Text("no good value", "无有效值")


def _text(entry: TextEntry | None) -> Text:
    return NO_TEXT if entry is None else entry.text()


def _is_address(address: str) -> bool:
    import apprise  # half a second: only sites that tell somebody pay, and before their first scan

    known: Any = apprise.Apprise
    return known.instantiate(address) is not None
