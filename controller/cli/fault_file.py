"""Faults as people write them, in a file or as words of a command, turned into the simulator's.

Every problem of a file is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TypeAlias

from controller.cli.simulated_building import building_of
from controller.core.errors import ConfigError, EnvironmentProblem
from controller.core.site import Link, Site
from controller.settings.document import Document, Tree, Where
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, checked, read
from controller.settings.schema.faults import FaultEntry, FaultsFile
from controller.settings.schema.scenarios import ScenarioFile
from controller.settings.validate import DURATION, seconds
from simulator.buildings import SimulatedBuilding
from simulator.faults.fault import Fault, contradictions
from simulator.faults.kinds import KINDS, MEANING, Aim, Choice, Kind, Number, Parameter, Written
from simulator.gateway import Value
from simulator.tags import Tag

_ALWAYS = ("kind", "target", "start", "end", "duration")

_PROTOCOLS = {"modbus": "Modbus", "bacnet": "BACnet", "mqtt": "the MQTT of this template"}

Given: TypeAlias = "Mapping[str, bool | int | float | str | timedelta]"


def read_faults(file: Path | None, site: Site, beginning: datetime, *, has_time_on_wire: bool = False) -> list[Fault]:
    """The faults of a file; none without one. beginning: from when times like 10min count.

    has_time_on_wire: whether the clock of a device is seen. Raises ConfigError with every problem.
    """
    if file is None:
        return []
    problems = Problems()
    reading = read(file, FaultsFile, problems)
    faults: list[Fault] = []
    if reading is not None:
        faults = FaultsCompiler(reading, site, beginning, has_time_on_wire, problems).compiled()
    problems.raise_if_any()
    return faults


def fault_of(entry: Mapping[str, Tree], site: Site, now: datetime, *, has_time_on_wire: bool = False) -> Fault:
    """One fault that begins now, unless it says otherwise. Raises EnvironmentProblem that says what is wrong."""
    problems = Problems()
    document = Document(Path("fault"), {"faults": [dict(entry)]}, {})
    reading = checked(document, FaultsFile, problems)
    compiled = FaultsCompiler(reading, site, now, has_time_on_wire, problems).compiled()
    try:
        problems.raise_if_any()
    except ConfigError as error:
        raise EnvironmentProblem("; ".join(f"{each.wrong}; {each.right}" for each in error.problems)) from error
    return compiled[0]


@dataclass
class FaultsCompiler:
    """reading: of a file that has a list `faults`. Every problem is noted."""

    reading: Reading[FaultsFile] | Reading[ScenarioFile]
    site: Site
    beginning: datetime
    has_time_on_wire: bool
    problems: Problems

    def compiled(self) -> list[Fault]:
        found: dict[Where, Fault] = {}
        for where in self.reading.items(("faults",)):
            entry = self.reading.piece(where, FaultEntry)
            fault = None if entry is None else self._fault(entry, where)
            if fault is not None:
                found[where] = fault
        places = {id(fault): where for where, fault in found.items()}
        for later, earlier in contradictions([*found.values()]):
            line = self.reading.document.line(places[id(earlier)])
            wrong = f"'{later.kind}' contradicts '{earlier.kind}' of line {line} on the same target at the same time"
            self._add(places[id(later)], wrong, "end one before the other begins, or remove one")
        return [*found.values()]

    def _fault(self, entry: FaultEntry, where: Where) -> Fault | None:
        kind = KINDS.get(entry.kind)
        if kind is None:
            self._add(
                (*where, "kind"),
                f"there is no kind of fault '{shown(entry.kind)}'",
                nearest(entry.kind, KINDS, "kinds"),
            )
            return None
        target = self._target(entry, kind, where)
        times = self._times(entry, kind, where)
        if target is None or times is None:
            return None
        parameters = self._parameters(entry, kind, target, where)
        if parameters is None:
            return None
        self._refuse_unseen(entry.kind, target, where)
        return Fault(entry.kind, target, *times, parameters, self._points(kind.aim, target))

    def _refuse_unseen(self, kind: str, target: str, where: Where) -> None:
        """What a protocol does not carry cannot be wrong on it."""
        links = [link for link in self._links() if target == link.id or target in (each.id for each in link.devices)]
        if kind == "clock_offset" and not self.has_time_on_wire and not any(map(_carries_time, links)):
            protocol = _PROTOCOLS.get(links[0].driver.name, links[0].driver.name) if links else "Modbus"
            wrong = f"{protocol} carries no time, and nobody would see a clock that is off"
            self._add((*where, "kind"), wrong, "try it in a backtest")
        if kind == "word_order" and any(link.driver.name != "modbus" for link in links):
            wrong = "only Modbus has values of several registers, whose order can be wrong"
            self._add((*where, "target"), wrong, "aim it at a device on Modbus")

    # --- what it is aimed at

    def _target(self, entry: FaultEntry, kind: Kind, where: Where) -> str | None:
        if kind.aim is Aim.SITE:
            if entry.target is None:
                return ""
            self._add((*where, "target"), f"a {entry.kind} has no target: it meets the whole site", "remove 'target'")
            return None
        there_are = self._targets(kind.aim)
        if not there_are:
            wrong = f"there are no {MEANING[kind.aim]}: neither the simulated building nor the site has any"
            self._add((*where, "kind"), wrong, "remove this fault")
            return None
        if entry.target is None:
            if len(there_are) == 1:
                return there_are[0]
            self._add(where, f"'target' is missing; {_a(entry.kind)} is aimed at one", _known(there_are, kind.aim))
            return None
        if entry.target in there_are:
            return entry.target
        wrong = f"'{shown(entry.target)}' is none of the {MEANING[kind.aim]} of the simulated site"
        self._add((*where, "target"), wrong, nearest(entry.target, there_are, MEANING[kind.aim]))
        return None

    def _targets(self, aim: Aim) -> list[str]:
        links = self._links()
        if aim is Aim.LINK:
            return [link.id for link in links]
        if aim is Aim.DEVICE:
            return [*(device.id for link in links for device in link.devices), *(link.id for link in links)]
        there_are = self._building.targets.get(aim, ())
        return [each for each in there_are if each in self.site.points or each in self.site.equipment]

    @cached_property
    def _building(self) -> SimulatedBuilding:
        """Raises EnvironmentProblem where none serves the site."""
        return building_of(self.site)

    def _points(self, aim: Aim, target: str) -> tuple[str, ...]:
        """Those of the devices that are meant."""
        if aim not in (Aim.DEVICE, Aim.LINK, Aim.SITE):
            return ()
        return tuple(
            point
            for link in self._links()
            for device in link.devices
            if target in ("", link.id, device.id)
            for point in device.points
        )

    def _links(self) -> list[Link]:
        return [link for link in self.site.links if not link.driver.is_virtual]

    # --- when

    def _times(self, entry: FaultEntry, kind: Kind, where: Where) -> tuple[float, float] | None:
        begins = self._time(entry.start, (*where, "start"))
        ends = None if entry.end is None else self._time(entry.end, (*where, "end"))
        if begins is None or (ends is None and entry.end is not None):
            return None
        if kind.is_once and (entry.end is not None or entry.duration is not None):
            key = "end" if entry.end is not None else "duration"
            self._add((*where, key), f"a {entry.kind} happens once and has no end", f"remove '{key}'")
            return None
        if entry.end is not None and entry.duration is not None:
            self._add((*where, "duration"), "'duration' stands beside 'end'", "remove one of the two")
            return None
        if ends is None:
            ends = begins + (kind.lasts_s if entry.duration is None else entry.duration.total_seconds())
        if ends <= begins:
            key = "end" if entry.end is not None else "duration"
            self._add((*where, key), "the fault ends before it begins", "write an end that is after its start")
            return None
        return begins, ends

    def _time(self, text: str | None, where: Where) -> float | None:
        """Seconds of the epoch, plant time."""
        if text is None:
            return self.beginning.timestamp()
        try:
            if DURATION.fullmatch(text):
                return (self.beginning + seconds(text)).timestamp()
            moment = datetime.fromisoformat(text)
        except ValueError:
            right = "write 10min after the simulation begins, or a local time like 2026-07-06T14:00"
            self._add(where, f"'{shown(text)}' is no time", right)
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=self.site.zone)
        if moment < self.beginning:
            local = self.beginning.astimezone(self.site.zone)
            wrong = f"{text} is before the simulation begins"
            self._add(where, wrong, f"write a time after {local:%Y-%m-%dT%H:%M}")
            return None
        return moment.timestamp()

    # --- how much

    def _parameters(self, entry: FaultEntry, kind: Kind, target: str, where: Where) -> dict[str, Value | str] | None:
        given = _given(entry)
        unknown = [key for key in given if key not in kind.parameters]
        for key in unknown:
            self._add((*where, key), f"'{key}' means nothing to {_a(entry.kind)}", _takes(kind))
        found: dict[str, Value | str] = {}
        is_sound = not unknown
        for name, parameter in kind.parameters.items():
            value = given.get(name)
            right, kept = _checked(value, parameter, self._building.tags.get(target))
            if right:
                is_sound = False
                wrong = f"'{name}' is missing" if value is None else f"'{name}' is {_plain(value)}"
                self._add(where if value is None else (*where, name), wrong, right)
            elif kept is not None:
                found[name] = kept
        return found if is_sound else None

    def _add(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)


def _carries_time(link: Link) -> bool:
    """Whether values on it come with the time of their source."""
    return link.driver.name == "opcua" or any(getattr(each.address, "timestamp", "") for each in link.bindings)


def _given(entry: FaultEntry) -> dict[str, bool | int | float | str | timedelta]:
    names = [name for name in FaultEntry.model_fields if name not in _ALWAYS]
    return {name: value for name in names if (value := getattr(entry, name)) is not None}


def _checked(
    value: bool | int | float | str | timedelta | None, parameter: Parameter, tag: Tag | None
) -> tuple[str, Value | str | None]:
    """What would be right, empty where it is; and the value as the simulator takes it, None for none. tag: of a target
    that is a point.
    """
    match parameter:
        case Number(_, default, low, high):
            number = value.total_seconds() if isinstance(value, timedelta) else value
            if number is None:
                return ("", default) if default is not None else (_number(parameter), None)
            if isinstance(number, bool | str) or not low <= number <= high:
                return _number(parameter), None
            return "", float(number)
        case Choice(options, default):
            chosen = default if value is None else value
            return ("", str(chosen)) if chosen in options else (f"write one of {', '.join(options)}", None)
        case Written(is_needed, low, high):
            if value is None:
                return ("add the value that it takes", None) if is_needed else ("", None)
            right, kept = _value(value, tag)
            if isinstance(kept, int | float) and not low <= kept <= high:
                return f"write a number from {low:g} to {high:g}", None
            return right, kept


def _number(parameter: Number) -> str:
    limits = "" if parameter.low == -inf else f" from {parameter.low:g}"
    limits += "" if parameter.high == inf else f" to {parameter.high:g}"
    if parameter.unit == "duration":
        return f"write a duration with its unit, like 2s{limits and f', {limits.strip()} s'}"
    unit = parameter.unit.replace("point", "the point's unit").replace("1", "")
    return f"write a number{limits}{f' [{unit}]' if unit else ''}"


def _value(value: bool | int | float | str | timedelta, tag: Tag | None) -> tuple[str, Value | str | None]:
    """A value that the target could have."""
    if tag is None:
        return "aim it at a point", None
    if isinstance(value, str | timedelta) or isinstance(value, bool) != (tag.kind is bool):
        return ("write true or false" if tag.kind is bool else f"write a number in {tag.unit or 'counts'}"), None
    if tag.kind is float:
        value = float(value)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if tag.writable:
        try:
            return "", tag.checked(value)
        except ValueError as error:
            return str(error).partition("; ")[2] or str(error), None
    return "", value


def _takes(kind: Kind) -> str:
    names = ", ".join((*_ALWAYS, *kind.parameters))
    return f"known keys: {names}"


def _known(targets: Iterable[str], aim: Aim) -> str:
    return nearest("", targets, MEANING[aim])


def _plain(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    return str(value).lower() if isinstance(value, bool) else shown(str(value))


def _a(kind: str) -> str:
    return f"a fault '{kind}'"
