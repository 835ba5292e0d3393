"""A device template as points that only lack their place at a site.

Every number of a template is in the unit that it declares; here it becomes ours, the address included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from controller.core.equipment import EQUIPMENT, Quantity
from controller.core.point import (
    DeviceTimeout,
    Effect,
    Heartbeat,
    Limits,
    NothingHappens,
    OnSilence,
    Point,
    PointId,
    PointKind,
    Range,
    Release,
    ReleaseNull,
    RemoteBit,
    Restore,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.ports import DriverKind
from controller.core.sample import Scalar
from controller.core.units import DEVICE_UNITS, Linear, Unit
from controller.settings.document import Document, Where
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, read
from controller.settings.registry import look_up
from controller.settings.schema import (
    DeviceTimeoutEntry,
    EquipmentHead,
    HeartbeatEntry,
    PointEntry,
    ReleaseEntry,
    RemoteBitEntry,
    RestoreEntry,
    SafeValueEntry,
    TemplateFile,
    TemplateHead,
    WritableEntry,
)

_LAMPS = frozenset({"lighting_group", "lighting_circuit"})
_REMOTE = "remote"
_ON_OFF = Range(0.0, 1.0)
_FALLBACK_STALE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TemplatePoint:
    """local: `equipment.quantity` as the template names it. writable refers to local names until it is placed."""

    local: str
    where: Where
    quantity: Quantity
    conversion: Linear
    entry: PointEntry
    stale_after: timedelta
    plausible: Range | None
    writable: Writable | None

    def placed(self, ids: Mapping[str, PointId]) -> Point:
        """The point of one device; `ids` maps every local name that this site has."""
        entry = self.entry
        return Point(
            ids[self.local],
            self.quantity.kind,
            self.quantity.unit,
            type=self.quantity.type,
            stale_after=self.stale_after,
            plausible=self.plausible,
            writable=None if self.writable is None else _placed(self.writable, ids),
            urgent=entry.urgent,
            cov_increment=_difference(entry.cov_increment, self.conversion),
            tags=entry.tags,
        )

    def references(self) -> list[str]:
        """The local names that the point leans on."""
        return [] if self.writable is None else [str(point) for point in _references(self.writable)]


@dataclass(frozen=True, slots=True)
class Template:
    """declared: every local name in the file, the defective ones too. driver: None if it is not known."""

    reading: Reading[TemplateFile]
    head: TemplateHead | None
    driver: DriverKind | None
    classes: Mapping[str, str]
    points: Mapping[str, TemplatePoint]
    declared: frozenset[str]

    @property
    def document(self) -> Document:
        return self.reading.document

    def declared_of(self, equipment: str) -> list[str]:
        return [local for local in sorted(self.declared) if local.partition(".")[0] == equipment]


def read_template(
    folder: Path, name: str, driver_kind: Callable[[str], DriverKind], problems: Problems
) -> Template | None:
    """The template with everything noted that is wrong with it wherever it is used."""
    reading = read(folder / f"{name}.yaml", TemplateFile, problems)
    return None if reading is None else _Compiler(reading, problems).template(name, driver_kind)


@dataclass
class _Compiler:
    reading: Reading[TemplateFile]
    problems: Problems
    classes: dict[str, str] = field(default_factory=dict[str, str])
    quantities: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    entries: dict[str, tuple[Where, PointEntry]] = field(default_factory=dict[str, "tuple[Where, PointEntry]"])
    declared: set[str] = field(default_factory=set[str])
    driver: DriverKind | None = None

    def template(self, name: str, driver_kind: Callable[[str], DriverKind]) -> Template:
        head = self.reading.piece((), TemplateHead)
        if head is not None:
            self.driver = look_up(driver_kind, head.driver, "drivers", self._teller(("driver",)))
            if head.template != name:
                self._add(("template",), f"the template calls itself '{head.template}'", f"its file says '{name}'")
        for where in self.reading.items(("equipment",)):
            self._gather(where)
        stale_after = _FALLBACK_STALE_AFTER if head is None else head.stale_after
        points = {local: self._point(local, stale_after) for local in self.entries}
        kept = {local: point for local, point in points.items() if point is not None}
        return Template(self.reading, head, self.driver, self.classes, kept, frozenset(self.declared))

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
            self._add((*where, "class"), wrong, nearest(head.equipment_class, EQUIPMENT, "classes"))
            return
        self.classes[equipment] = known.name
        for place in places:
            quantity = known.quantities.get(str(place[-1]))
            entry = self.reading.piece(place, PointEntry)
            if quantity is None:
                wrong = f"a {known.name} has no quantity '{shown(str(place[-1]))}'"
                self._add(place, wrong, nearest(str(place[-1]), known.quantities, "quantities"))
            elif entry is not None:
                self.quantities[f"{equipment}.{place[-1]}"] = quantity
                self.entries[f"{equipment}.{place[-1]}"] = (place, entry)

    # --- one point

    def _point(self, local: str, stale_after: timedelta) -> TemplatePoint | None:
        where, entry = self.entries[local]
        quantity = self.quantities[local]
        conversion = self._conversion(where, entry, quantity)
        if conversion is None:
            return None
        plausible = self._range((*where, "plausible"), entry.plausible, conversion)
        writable = None
        if entry.writable is not None:
            writable = self._writable(local, entry.writable, plausible, conversion)
            if writable is None:
                return None
        stale_after = entry.stale_after or stale_after
        return TemplatePoint(local, where, quantity, conversion, entry, stale_after, plausible, writable)

    def _conversion(self, where: Where, entry: PointEntry, quantity: Quantity) -> Linear | None:
        known = DEVICE_UNITS.get(entry.unit)
        fitting = [name for name, (unit, _) in DEVICE_UNITS.items() if unit is quantity.unit]  # ours is the first
        right = "leave the unit out" if quantity.unit is Unit.NONE else f"write one of {', '.join(fitting)}"
        if known is not None and known[0] is quantity.unit:
            return known[1]
        if not self.reading.document.has((*where, "unit")):
            wrong = f"'{where[-1]}' has no unit"
        elif known is None:
            wrong = f"the unit '{shown(entry.unit)}' is unknown"
        else:
            wrong = f"the unit {entry.unit} does not fit '{where[-1]}'"
        self._add((*where, "unit"), wrong, right)
        return None

    def _range(self, where: Where, pair: tuple[float, float] | None, conversion: Linear) -> Range | None:
        if pair is None:
            return None
        low, high = sorted(_converted(number, conversion) for number in pair)
        if pair[0] >= pair[1]:
            wrong = f"'{where[-1]}' runs from {pair[0]:g} to {pair[1]:g}"
            self._add(where, wrong, "the lower number comes first and differs from the higher")
        return Range(low, high)

    # --- writing and letting go

    def _writable(
        self, local: str, entry: WritableEntry, plausible: Range | None, conversion: Linear
    ) -> Writable | None:
        where = (*self.entries[local][0], "writable")
        quantity = self.quantities[local]
        if quantity.kind not in (PointKind.SETPOINT, PointKind.COMMAND):
            self._add(where, f"'{where[-2]}' is a {quantity.kind} and only read", "remove 'writable'")
            return None
        limits = self._allowed(where, entry, quantity, plausible, conversion)
        release = self._release(local, where, entry.release, limits, conversion)
        on_silence = self._on_silence(where, entry, quantity)
        readback = self._alike(local, (*where, "readback"), entry.readback)
        effect = self._effect(local, where, entry, conversion)
        if limits is None or release is None or on_silence is None or readback is None:
            return None
        return Writable(
            limits,
            release,
            on_silence,
            readback,
            tolerance=_difference(entry.tolerance, conversion),
            settle=entry.settle,
            effect=effect,
            limits=self._limits(local, where, entry, quantity, conversion),
        )

    def _allowed(
        self, where: Where, entry: WritableEntry, quantity: Quantity, plausible: Range | None, conversion: Linear
    ) -> Range | None:
        place = (*where, "range")
        on_off = quantity.type is ValueType.BOOLEAN
        if entry.range is None:
            example = "[0, 1]" if on_off else f"[lowest, highest] in {self.entries[self._local(where)][1].unit}"
            self._add(where, f"'{where[-2]}' is writable without a range", f"add range: {example}")
            return None
        found = self._range(place, entry.range, conversion)
        if found is not None and on_off and found != _ON_OFF:
            self._add(place, f"'{where[-2]}' is on or off, its range something else", "write range: [0, 1]")
        if (
            found is not None
            and plausible is not None
            and not (plausible.holds(found.low) and plausible.holds(found.high))
        ):
            self._add(place, "the range reaches beyond what is plausible", "widen 'plausible' or narrow 'range'")
        return found

    def _local(self, where: Where) -> str:
        return f"{where[1]}.{where[3]}"

    def _release(
        self, local: str, where: Where, entry: ReleaseEntry | None, limits: Range | None, conversion: Linear
    ) -> Release | None:
        place = (*where, "release")
        quantity = self.quantities[local]
        if entry is None:
            ways = "write_null, {remote_bit: ...}, {safe_value: ...} or {restore: [low, high]}"
            self._add(where, f"'{where[-2]}' is writable without a release", f"add release: {ways}")
            return None
        if isinstance(entry, RemoteBitEntry):
            return self._remote_bit(local, (*place, "remote_bit"), entry.remote_bit)
        if isinstance(entry, SafeValueEntry):
            return self._safe_value(local, (*place, "safe_value"), entry.safe_value, limits, conversion)
        if isinstance(entry, RestoreEntry):
            within = self._range((*place, "restore"), entry.restore, conversion)
            if quantity.kind is not PointKind.SETPOINT:
                right = "a command is let go by write_null, remote_bit or safe_value"
                self._add(place, f"'{where[-2]}' is a command, and only setpoints can be restored", right)
            if within is None:
                return None
            if limits is not None and not (limits.holds(within.low) and limits.holds(within.high)):
                self._add((*place, "restore"), "the restored range reaches beyond 'range'", "keep it inside 'range'")
            return Restore(within)
        return self._null(place)

    def _null(self, where: Where) -> Release:
        if self.driver is not None and not self.driver.relinquishes:
            wrong = f"{self.driver.name} has no Null that could be written"
            self._add(where, wrong, "let go by a remote_bit, a safe_value or, for a setpoint, restore")
        return ReleaseNull()

    def _remote_bit(self, local: str, where: Where, target: str) -> Release | None:
        if not self._exists(where, target):
            return None
        if target not in self.entries:
            return RemoteBit(PointId(target))
        bit, quantity = self.entries[target][1].writable, self.quantities[target]
        cleared = bit is not None and isinstance(bit.release, SafeValueEntry) and bit.release.safe_value is False
        if target == local:
            self._add(
                where, f"'{target}' is named as its own remote bit", "name the bit by which the device follows us"
            )
        elif bit is None or quantity.type is not ValueType.BOOLEAN:
            self._add(where, f"'{target}' is no writable on/off point", "a remote bit is one that we set and clear")
        elif not cleared and bit.release is not None:
            place = (*self.entries[target][0], "writable", "release")
            self._add(
                place, f"'{target}' is a remote bit and not cleared on release", "write release: {safe_value: false}"
            )
        return RemoteBit(PointId(target))

    def _safe_value(
        self, local: str, where: Where, value: Scalar, limits: Range | None, conversion: Linear
    ) -> Release | None:
        quantity = self.quantities[local]
        converted = self._typed(where, value, quantity, conversion)
        if converted is None or limits is None:
            return None
        if not limits.holds(float(converted)):
            self._add(where, f"the safe value {value} lies outside 'range'", "choose one inside the range")
        lamp = self.classes[local.partition(".")[0]] in _LAMPS and not local.endswith(f".{_REMOTE}")
        if lamp and float(converted) != limits.high:
            right = f"lights let go towards on: write {'true' if converted is False else 'the highest of the range'}"
            self._add(where, f"released lamps would not be fully on but {plain(value)}", right)
        return SafeValue(converted)

    def _typed(self, where: Where, value: Scalar, quantity: Quantity, conversion: Linear) -> float | int | bool | None:
        """The value as the quantity's type has it, in our unit; None, with the problem noted, if it has another."""
        if quantity.type is ValueType.BOOLEAN and isinstance(value, bool):
            return value
        if quantity.type is ValueType.INTEGER and isinstance(value, int) and not isinstance(value, bool):
            return value
        if quantity.type is ValueType.NUMBER and isinstance(value, (int, float)) and not isinstance(value, bool):
            return _converted(value, conversion)
        self._add(where, f"{plain(value)} does not fit the point", f"write {TYPE_ADVICE[quantity.type]}")
        return None

    def _on_silence(self, where: Where, entry: WritableEntry, quantity: Quantity) -> OnSilence | None:
        place, silence = (*where, "on_silence"), entry.on_silence
        if silence is None:
            ways = "{device_timeout: 30s}, {heartbeat: ..., after: 60s}, or none for setpoints that may stay for ever"
            self._add(where, f"'{where[-2]}' is writable without on_silence", f"add on_silence: {ways}")
            return None
        if isinstance(silence, DeviceTimeoutEntry):
            return DeviceTimeout(silence.device_timeout)
        if isinstance(silence, HeartbeatEntry):
            return self._heartbeat(place, silence)
        if quantity.kind is PointKind.COMMAND:
            wrong = f"'{where[-2]}' is a command that nothing would end if we fell silent"
            self._add(place, wrong, "name the device_timeout or heartbeat of the device; only setpoints may have none")
        return NothingHappens()

    def _heartbeat(self, place: Where, silence: HeartbeatEntry) -> OnSilence | None:
        where, target = (*place, "heartbeat"), silence.heartbeat
        if not self._exists(where, target):
            return None
        known = self.entries.get(target)
        if known is not None and (known[1].writable is None or self.quantities[target].type is not ValueType.INTEGER):
            self._add(where, f"'{target}' is no heartbeat", "name a writable whole number that the device watches")
        return Heartbeat(PointId(target), silence.after)

    def _alike(self, local: str, where: Where, target: str | None) -> PointId | None:
        """The point at which a written value is seen again: of the same unit and type."""
        if target is None:
            return PointId(local)
        if not self._exists(where, target):
            return None
        there, here = self.quantities.get(target), self.quantities[local]
        if there is not None and (there.unit, there.type) != (here.unit, here.type):
            wrong = f"'{target}' has another unit or type than '{local.partition('.')[2]}'"
            self._add(where, wrong, "name a point that comes to equal the written value")
        return PointId(target)

    def _effect(self, local: str, where: Where, entry: WritableEntry, conversion: Linear) -> Effect | None:
        if entry.effect is None:
            return None
        point = self._alike(local, (*where, "effect", "point"), entry.effect.point)
        if point is None:
            return None
        if point == local:
            self._add(
                (*where, "effect", "point"), "the effect is looked for at the written point itself", "name another"
            )
        return Effect(point, entry.effect.within, _difference(entry.effect.tolerance, conversion))

    def _limits(self, local: str, where: Where, entry: WritableEntry, quantity: Quantity, conversion: Linear) -> Limits:
        limits, place = entry.limits, (*where, "limits")
        two_state = quantity.type is ValueType.BOOLEAN
        if limits.maximum_rate is not None and two_state:
            self._add((*place, "maximum_rate"), "an on/off point has no rate", "remove 'maximum_rate'")
        for name, time in (("minimum_on", limits.minimum_on), ("minimum_off", limits.minimum_off)):
            if time and not two_state:
                self._add((*place, name), f"'{name}' fits on/off points only", f"remove '{name}'")
        rate = None if limits.maximum_rate is None else _difference(limits.maximum_rate, conversion)
        lamp = self.classes[local.partition(".")[0]] in _LAMPS and not local.endswith(f".{_REMOTE}")
        return Limits(rate, limits.minimum_on, limits.minimum_off, brighter_is_safe=lamp)

    # --- telling

    def _exists(self, where: Where, target: str) -> bool:
        if target in self.declared:
            return True
        self._add(
            where, f"there is no point '{shown(target)}' in this template", nearest(target, self.declared, "points")
        )
        return False

    def _add(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)

    def _teller(self, where: Where) -> Callable[[str, str], None]:
        return lambda wrong, right: self._add(where, wrong, right)


TYPE_ADVICE = {
    ValueType.BOOLEAN: "true or false",
    ValueType.INTEGER: "a whole number",
    ValueType.NUMBER: "a number",
    ValueType.TEXT: "a text",
}


def plain(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else shown(str(value))


# --- numbers --------------------------------------------------------------------------------------------------------


def _converted(number: float, conversion: Linear) -> float:
    return _tidy(number * conversion.factor + conversion.offset)


def _difference(number: float, conversion: Linear) -> float:
    return _tidy(abs(number * conversion.factor))


def _tidy(number: float) -> float:
    """Without the dust of binary fractions: 7 % is 0.07."""
    return float(f"{number:.12g}")


# --- local names to point ids -----------------------------------------------------------------------------------------


def _references(writable: Writable) -> list[PointId]:
    found = [writable.readback]
    if isinstance(writable.release, RemoteBit):
        found.append(writable.release.point)
    if isinstance(writable.on_silence, Heartbeat):
        found.append(writable.on_silence.point)
    if writable.effect is not None:
        found.append(writable.effect.point)
    return found


def _placed(writable: Writable, ids: Mapping[str, PointId]) -> Writable:
    release, silence, effect = writable.release, writable.on_silence, writable.effect
    if isinstance(release, RemoteBit):
        release = RemoteBit(ids[release.point])
    if isinstance(silence, Heartbeat):
        silence = Heartbeat(ids[silence.point], silence.after)
    if effect is not None:
        effect = Effect(ids[effect.point], effect.within, effect.tolerance)
    return Writable(
        writable.range,
        release,
        silence,
        ids[writable.readback],
        tolerance=writable.tolerance,
        settle=writable.settle,
        effect=effect,
        limits=writable.limits,
    )
