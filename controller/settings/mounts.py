"""strategies.yaml: which strategy is bound to what, in which mode, with which parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from controller.core.command import Priority
from controller.core.equipment import EQUIPMENT
from controller.core.equipment_log import counter_point, logged_equipment
from controller.core.point import PointId
from controller.core.site import SCANS_WITHIN_LEASE, Mount
from controller.core.strategy import Member, Mode, Role, Strategy, StrategyKind
from controller.settings.circles import circles
from controller.settings.document import Where
from controller.settings.problems import nearest, shown
from controller.settings.reading import note
from controller.settings.registry import look_up
from controller.settings.schema.strategies import StrategiesFile, StrategyEntry
from controller.settings.section import SectionCompiler
from controller.settings.validate import checker, own_words


@dataclass
class MountsCompiler(SectionCompiler[StrategiesFile]):
    scan_every: timedelta
    strategy_kind: Callable[[str], StrategyKind]
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    """The parameters of every strategy as plain data, defaults included."""
    _ids: dict[str, Where] = field(default_factory=dict[str, Where])
    _owners: dict[tuple[PointId, Priority, Mode], tuple[str, Where]] = field(
        default_factory=dict["tuple[PointId, Priority, Mode]", "tuple[str, Where]"]
    )

    def compiled(self) -> tuple[Mount, ...]:
        mounts: dict[Where, Mount] = {}
        for where in self.reading.items(("strategies",)):
            mount = self._mount(where)
            if mount is not None:
                mounts[where] = mount
        self._refuse_circles(mounts)
        return tuple(mounts.values())

    def _refuse_circles(self, mounts: Mapping[Where, Mount]) -> None:
        links = [link for link in self.plant.links if link.driver.is_virtual]
        virtual = {binding.point.id for link in links for binding in link.bindings}
        places = {mount.id: where for where, mount in mounts.items()}
        for circle in circles(list(mounts.values()), virtual):
            steps = [f"'{step.source}' commands '{step.point}', which '{step.reader}' reads" for step in circle]
            wrong = f"strategies wait for each other in a circle: {', '.join(steps)}"
            right = "bind one of them to something else, or switch it off"
            self._add((*places[circle[0].source], "bind"), wrong, right)

    def _mount(self, where: Where) -> Mount | None:
        entry = self.reading.piece(where, StrategyEntry)
        if entry is None:
            return None
        self._once(entry, where)
        kind = look_up(self.strategy_kind, entry.strategy, "strategies", partial(self._add, (*where, "strategy")))
        if kind is None:
            return None
        bound = self._bound(entry, kind, where)
        parameters = self._parameters(entry, kind, where)
        if parameters is None or bound is None:
            return None
        strategy = self._built(kind, parameters, {member: len(bound.get(member, ())) for member in kind.members}, where)
        if strategy is None:
            return None
        roles = {
            role: PointId(f"{bound[role.member][role.ordinal]}.{role.quantity}") for role in _roles(strategy, bound)
        }
        self._check_roles(kind, strategy, roles, where)
        priority = Priority[entry.priority.upper()]
        if entry.mode is not Mode.OFF:
            self._claim(entry, [roles[role] for role in strategy.outputs if role in roles], priority, where)
        return Mount(entry.id, kind, strategy, entry.mode, roles, priority, entry.lease, parameters)

    def _once(self, entry: StrategyEntry, where: Where) -> None:
        first = self._ids.setdefault(entry.id, where)
        if first != where:
            line = self.reading.document.line((*first, "id"))
            wrong = f"the strategy '{entry.id}' is there already, on line {line}"
            self._add((*where, "id"), wrong, "give one another id")
        if entry.lease < SCANS_WITHIN_LEASE * self.scan_every:
            least = SCANS_WITHIN_LEASE * self.scan_every.total_seconds()
            wrong = f"a lease of {entry.lease.total_seconds():g} s could end between two scans"
            self._add((*where, "lease"), wrong, f"write at least {least:g}s")

    # --- what it is bound to

    def _bound(self, entry: StrategyEntry, kind: StrategyKind, where: Where) -> dict[str, tuple[str, ...]] | None:
        """The equipment of each member; None where there are too few or too many for a strategy to be built."""
        bound: dict[str, tuple[str, ...]] = {}
        for name, given in entry.bind.items():
            place = (*where, "bind", name)
            if name not in kind.members:
                wrong = f"'{kind.name}' has nothing called '{shown(name)}' to bind"
                self._add(place, wrong, nearest(name, kind.members, "members"))
                continue
            bound[name] = (given,) if isinstance(given, str) else given
            for index, each in enumerate(bound[name]):
                spot = place if isinstance(given, str) else (*place, index)
                self._fits(kind, kind.members[name], each, spot)
                if each in bound[name][:index]:
                    self._add(spot, f"'{each}' is bound twice", "name it once")
        counted = [self._count(kind, name, len(bound.get(name, ())), where) for name in kind.members]
        return bound if all(counted) else None

    def _count(self, kind: StrategyKind, name: str, count: int, where: Where) -> bool:
        member = kind.members[name]
        if member.least <= count <= member.most:
            return True
        numbers = f"{member.least}" if member.least == member.most else f"{member.least} to {member.most}"
        wrong = f"{count} {name} are bound" if count else f"no '{name}' are bound"
        self._add((*where, "bind", name), wrong, f"'{kind.name}' takes {numbers} of class {member.equipment}")
        return False

    def _fits(self, kind: StrategyKind, member: Member, equipment: str, where: Where) -> None:
        its_class = self.plant.equipment.get(equipment)
        if its_class is None:
            if not self.plant.is_excused(equipment):
                fitting = [each for each, its in self.plant.equipment.items() if its == member.equipment]
                wrong = f"there is no equipment '{equipment}' in devices.yaml"
                self._add(where, wrong, nearest(equipment, fitting, f"equipment of class {member.equipment}"))
        elif its_class and EQUIPMENT[its_class].is_open:
            wrong = f"'{equipment}' is {its_class}: nobody has said yet what it is"
            self._add(where, wrong, f"'{kind.name}' needs a {member.equipment} here: give the equipment that class")
        elif its_class and its_class != member.equipment:
            wrong = f"'{equipment}' is a {its_class}"
            self._add(where, wrong, f"'{kind.name}' needs a {member.equipment} here")

    # --- parameters and roles

    def _parameters(self, entry: StrategyEntry, kind: StrategyKind, where: Where) -> Any:
        place = (*where, "parameters")
        document = self.reading.document
        tree = document.get(place) if document.has(place) else {}
        found, faults = checker(kind.parameters).check(tree)
        note(self.problems, document, place, faults)
        if found is not None:
            self.parameters[entry.id] = checker(kind.parameters).plain(found)
        return found

    def _built(
        self, kind: StrategyKind, parameters: Any, counts: Mapping[str, int], where: Where
    ) -> Strategy[Any] | None:
        try:
            return kind.build(parameters, counts)
        except ValueError as error:
            wrong, right = own_words(error, "parameters that fit what is bound")
            named = _named(wrong)
            self._add((*where, "bind" if named[0] in kind.members else "parameters", *named), wrong, right)
            return None

    def _check_roles(
        self, kind: StrategyKind, strategy: Strategy[Any], roles: Mapping[Role, PointId], where: Where
    ) -> None:
        for role, point in roles.items():
            place = self._place_of(role, where)
            equipment = point.rpartition(".")[0]
            known = self.plant.points.get(point)
            if self.plant.equipment.get(equipment) != kind.members[role.member].equipment:
                continue  # told already
            if known is None and role not in strategy.outputs and self._is_counted(point):
                continue
            if known is None:
                if not self.plant.is_excused(point):
                    wrong = f"'{equipment}' has no point '{role.quantity}', which the strategy needs"
                    self._add(place, wrong, "bind another equipment, or add the point to its template")
            elif role in strategy.outputs and known.writable is None:
                wrong = f"'{point}' cannot be written, and the strategy commands it"
                self._add(place, wrong, "bind another equipment, or make the point writable in its template")

    def _is_counted(self, point: PointId) -> bool:
        """Whether it is what the equipment log counts; the virtual point that shows it is there from now on."""
        counter = counter_point(point)
        if counter is None or counter.equipment not in logged_equipment(self.plant.equipment, self.plant.points):
            return False
        self.plant.add(counter)
        return True

    def _place_of(self, role: Role, where: Where) -> Where:
        return (*where, "bind", role.member, role.ordinal)

    def _claim(self, entry: StrategyEntry, outputs: list[PointId], priority: Priority, where: Where) -> None:
        for point in outputs:
            owner, first = self._owners.setdefault((point, priority, entry.mode), (entry.id, where))
            if first != where:
                wrong = (
                    f"'{point}' is commanded by '{owner}' already, in mode {entry.mode} at priority {entry.priority}"
                )
                self._add((*where, "bind"), wrong, "bind one of them to something else, or give it another priority")


def _named(wrong: str) -> Where:
    """The place that a message begins with: "paths.2: ..." is the second item of paths."""
    steps = wrong.partition(" ")[0].strip("':").split(".")
    return tuple(int(step) - 1 if step.isdecimal() else step for step in steps)


def _roles(strategy: Strategy[Any], bound: Mapping[str, tuple[str, ...]]) -> list[Role]:
    """Inputs and outputs in a fixed order, those of members that could not be bound left out."""
    roles = sorted({*strategy.inputs, *strategy.outputs})
    return [role for role in roles if role.ordinal < len(bound.get(role.member, ()))]
